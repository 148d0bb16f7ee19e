package family

import (
	"fmt"
	"testing"
)

// TestHybridContradictions: each is one line that names the key or the tensor,
// and both numbers.
func TestHybridContradictions(t *testing.T) {
	const question = "; is config.json from this checkpoint?"
	drop := func(name string) func(f fake) { return func(f fake) { delete(f, name) } }
	add := func(name string, shape ...int) func(f fake) { return func(f fake) { f.set(name, shape...) } }
	for _, c := range []struct {
		name, config, from, to string
		damage                 func(f fake)
		want                   string
	}{
		{"mamba2 state size", mamba2JSON, `"state_size": 5`, `"state_size": 6`, nil, "backbone.layers.0.mixer.in_proj.weight: have [72 12], want [78 12] (groups 3 from n_groups, heads 6 from num_heads, inner size 18 from expand and hidden_size, state size 6 from state_size)" + question},
		{"mamba2 groups", mamba2JSON, `"n_groups": 3`, `"n_groups": 4`, nil, "config.json: groups 4 from n_groups do not divide heads 6 from num_heads"},
		{"mamba2 other groups", mamba2JSON, `"n_groups": 3`, `"n_groups": 2`, nil, "backbone.layers.0.mixer.in_proj.weight: have [72 12], want [62 12] (groups 2 from n_groups, heads 6 from num_heads, inner size 18 from expand and hidden_size, state size 5 from state_size)" + question},
		{"mamba2 groups and no states", mamba2JSON, `"n_groups": 3, "state_size": 5`, `"n_groups": 2`, nil, "backbone.layers.0.mixer.conv1d.weight: have [48 1 3], from which with inner size 18 from expand and hidden_size and groups 2 from n_groups no state size can be read"},
		{"mamba2 groups by default", mamba2JSON, `"n_groups": 3, `, `"x": 3, `, nil, "config.json: groups 8 from the default of n_groups do not divide heads 6 from num_heads"},
		{"mamba2 heads", mamba2JSON, `"num_heads": 6`, `"num_heads": 9`, nil, "config.json: heads 9 from num_heads times head dim 3 from head_dim is 27, but inner size 18 from expand and hidden_size"},
		{"mamba2 heads times head dim", mamba2JSON, `"head_dim": 3`, `"head_dim": 2`, nil, "config.json: heads 6 from num_heads times head dim 2 from head_dim is 12, but inner size 18 from expand and hidden_size"},
		{"mamba2 heads without expand", mamba2JSON, `"expand": 1.5, "num_heads": 6, "head_dim": 3`, `"num_heads": 6, "head_dim": 4`, nil, "backbone.layers.0.mixer.in_proj.weight: have [72 12], want [84 12] (groups 3 from n_groups, heads 6 from num_heads, inner size of mixers 24 from num_heads and head_dim, state size 5 from state_size)" + question},
		{"mamba2 heads do not divide", mamba2JSON, `"num_heads": 6, "head_dim": 3`, `"num_heads": 5`, nil, "config.json: heads 5 from num_heads do not divide inner size 18 from expand and hidden_size"},
		{"mamba2 expand", mamba2JSON, `"expand": 1.5`, `"expand": 2`, nil, "config.json: heads 6 from num_heads times head dim 3 from head_dim is 18, but inner size 24 from expand and hidden_size"},
		{"mamba2 conv kernel", mamba2JSON, `"conv_kernel": 3`, `"conv_kernel": 4`, nil, "backbone.layers.0.mixer.conv1d.weight: have [48 1 3], want [48 1 4] (conv kernel 4 from conv_kernel)" + question},
		{"mamba2 activation", mamba2JSON, `{`, `{"hidden_act": "tanh", `, nil, "config.json: hidden_act: tanh is not supported; known are gelu, gelu_new, gelu_pytorch_tanh, relu, relu2, silu, swish"},
		{"mamba2 limits in disorder", mamba2JSON, `{`, `{"time_step_limit": [0.2, 0.1], `, nil, "config.json: time_step_limit: have [0.2,0.1], want two numbers, the second positive and not below the first"},
		{"mamba2 one limit", mamba2JSON, `{`, `{"time_step_limit": [0.2], `, nil, "config.json: time_step_limit: have [0.2], want two numbers, the second positive and not below the first"},
		{"mamba2 limits of zero", mamba2JSON, `{`, `{"time_step_limit": [0, 0], `, nil, "config.json: time_step_limit: have [0,0], want two numbers, the second positive and not below the first"},
		{"mamba2 infinite limits", mamba2JSON, `{`, `{"time_step_limit": [Infinity, Infinity], `, nil, `config.json: time_step_limit: have ["Infinity","Infinity"], want two numbers, the second positive and not below the first`},
		{"mamba2 limits in words", mamba2JSON, `{`, `{"time_step_limit": ["a", "b"], `, nil, `config.json: time_step_limit: have ["a","b"], want two numbers, the second positive and not below the first`},
		{"mamba2 no limits", mamba2JSON, `{`, `{"time_step_limit": [NaN, NaN], `, nil, `config.json: time_step_limit: have ["NaN","NaN"], want two numbers, the second positive and not below the first`},
		{"mamba2 layers", mamba2JSON, `_layers": 2`, `_layers": 1`, nil, "9 tensors are not used by this family: backbone.layers.1.mixer.A_log, backbone.layers.1.mixer.D, backbone.layers.1.mixer.conv1d.bias, …; number of layers 1 from num_hidden_layers, but the tensors have 2" + question},
		{"mamba2 biases that are not there", mamba2JSON, `{`, `{"use_bias": true, `, nil, "4 tensors are missing: backbone.layers.0.mixer.in_proj.bias, backbone.layers.0.mixer.out_proj.bias, backbone.layers.1.mixer.in_proj.bias, …"},
		{"mamba2 missing norm", mamba2JSON, ``, ``, drop("backbone.layers.1.mixer.norm.weight"), "1 tensor is missing: backbone.layers.1.mixer.norm.weight"},
		{"mamba2 surplus", mamba2JSON, ``, ``, add("backbone.layers.1.mixer.q_proj.weight", 3), "1 tensor is not used by this family: backbone.layers.1.mixer.q_proj.weight"},
		{"mamba2 empty conv", mamba2JSON, `"state_size": 5`, `"x": 5`, add("backbone.layers.0.mixer.conv1d.weight"), "backbone.layers.0.mixer.conv1d.weight: have [], from which with inner size 18 from expand and hidden_size and groups 3 from n_groups no state size can be read"},
		{"mamba2 norm of a group", mamba2JSON, ``, ``, add("backbone.layers.0.mixer.norm.weight", 6), "backbone.layers.0.mixer.norm.weight: have [6], want [18] (inner size 18 from expand and hidden_size)" + question},
		{"bamba layer too far", bambaJSON, `[1]`, `[1, 3]`, nil, "config.json: attn_layer_indices: have layer 3, but number of layers 3 from num_hidden_layers"},
		{"bamba negative layer", bambaJSON, `[1]`, `[-1]`, nil, "config.json: attn_layer_indices: have layer -1, but number of layers 3 from num_hidden_layers"},
		{"bamba layers in words", bambaJSON, `[1]`, `["first"]`, nil, `config.json: attn_layer_indices: have ["first"], want a list of whole numbers`},
		{"bamba another layer", bambaJSON, `[1]`, `[2]`, nil, "config.json: layer 1 is mamba by attn_layer_indices, but the tensors have model.layers.1.self_attn.q_proj.weight" + question},
		{"bamba no attention", bambaJSON, `"attn_layer_indices": [1], `, ``, nil, "config.json: layer 1 is mamba by the default of attn_layer_indices, but the tensors have model.layers.1.self_attn.q_proj.weight" + question},
		{"bamba inner size", bambaJSON, `"intermediate_size": 7`, `"intermediate_size": 8`, nil, "model.layers.0.feed_forward.gate_proj.weight: have [7 12], want [8 12] (inner size of MLPs 8 from intermediate_size)" + question},
		{"bamba heads of keys", bambaJSON, `"num_key_value_heads": 1`, `"num_key_value_heads": 2`, nil, "config.json: heads of keys and values 2 from num_key_value_heads do not divide heads 3 from num_attention_heads"},
		{"bamba odd rope", bambaJSON, `{`, `{"head_dim": 1, `, nil, "config.json: head dim 1 from head_dim: rotary embeddings turn 0 of its elements, want an even number"},
		{"bamba head dim in words", bambaJSON, `"mamba_d_head": 3`, `"mamba_d_head": "automatic"`, nil, `config.json: mamba_d_head: have "automatic", want a whole number`},
		{"granite list too short", graniteJSON, `["mamba", "attention", "mamba"]`, `["mamba", "attention"]`, nil, "config.json: layer_types has 2 layers, but number of layers 3 from num_hidden_layers"},
		{"granite unknown kind", graniteJSON, `["mamba", "attention", "mamba"]`, `["mamba", "rwkv\n", "mamba"]`, nil, `config.json: layer_types: layer 1 is "rwkv\n"; known are mamba, attention`},
		{"granite list in numbers", graniteJSON, `["mamba", "attention", "mamba"]`, `[1, 2, 3]`, nil, "config.json: layer_types: have [1,2,3], want a list of words"},
		{"granite another kind", graniteJSON, `["mamba", "attention", "mamba"]`, `["attention", "attention", "mamba"]`, nil, "config.json: layer 0 is attention by layer_types, but the tensors have model.layers.0.mamba.in_proj.weight" + question},
		{"granite experts", graniteJSON, `"num_local_experts": 5`, `"num_local_experts": 6`, nil, "model.layers.0.block_sparse_moe.router.layer.weight: have [5 12], want [6 12] (experts 6 from num_local_experts)" + question},
		{"granite no experts taken", graniteJSON, `"num_experts_per_tok": 2`, `"num_experts_per_tok": 0`, nil, "config.json: experts per token 0 from num_experts_per_tok: want at least 1"},
		{"granite too many experts taken", graniteJSON, `"num_experts_per_tok": 2`, `"num_experts_per_tok": 6`, nil, "config.json: experts per token 6 from num_experts_per_tok are more than experts 5 from num_local_experts"},
		{"granite no experts", graniteJSON, `"num_local_experts": 5`, `"num_local_experts": 0`, nil, "9 tensors are not used by this family: model.layers.0.block_sparse_moe.input_linear.weight, model.layers.0.block_sparse_moe.output_linear.weight, model.layers.0.block_sparse_moe.router.layer.weight, …"},
		{"granite shared size", graniteJSON, `"shared_intermediate_size": 9`, `"shared_intermediate_size": 8`, nil, "model.layers.0.shared_mlp.input_linear.weight: have [18 12], want [16 12] (inner size of MLPs 8 from shared_intermediate_size)" + question},
		{"granite inner size", graniteJSON, `"intermediate_size": 7`, `"intermediate_size": 8`, nil, "model.layers.0.block_sparse_moe.input_linear.weight: have [5 14 12], want [5 16 12] (inner size of experts 8 from intermediate_size)" + question},
		{"granite scale of zero", graniteJSON, `"logits_scaling": 0.8`, `"logits_scaling": 0`, nil, "config.json: logits_scaling: have 0, want a number that is not 0"},
		{"granite infinite scale", graniteJSON, `"residual_multiplier": 0.4`, `"residual_multiplier": Infinity`, nil, "config.json: residual_multiplier: have +Inf, want a finite number"},
		{"granite unknown rope", graniteJSON, `{`, `{"position_embedding_type": "rope", "rope_scaling": {"type": "su"}, `, nil, "config.json: rope_scaling.rope_type: su is not supported; known are default, dynamic, linear, llama3, yarn"},
		{"falcon_h1 inner size", falconH1JSON, `"mamba_d_ssm": 18`, `"mamba_d_ssm": 24`, nil, "config.json: heads of mixers 6 from mamba_n_heads times head dim of mixers 3 from mamba_d_head is 18, but inner size of mixers 24 from mamba_d_ssm"},
		{"falcon_h1 expand", falconH1JSON, `"mamba_d_ssm": 18, "mamba_n_heads": 6, "mamba_d_head": 3, "mamba_expand": 1.5`, `"mamba_d_ssm": null, "mamba_n_heads": 6, "mamba_d_head": 3, "mamba_expand": 2`, nil, "config.json: heads of mixers 6 from mamba_n_heads times head dim of mixers 3 from mamba_d_head is 18, but inner size 24 from mamba_expand and hidden_size"},
		{"falcon_h1 four multipliers", falconH1JSON, `{`, `{"ssm_multipliers": [1, 1, 1, 1], `, nil, "config.json: ssm_multipliers: have [1,1,1,1], want 5 numbers that are not 0"},
		{"falcon_h1 multiplier of zero", falconH1JSON, `{`, `{"mlp_multipliers": [1, 0], `, nil, "config.json: mlp_multipliers: have [1,0], want 2 numbers that are not 0"},
		{"falcon_h1 norm that is not there", falconH1JSON, `{`, `{"mamba_rms_norm": true, `, nil, "2 tensors are missing: model.layers.0.mamba.norm.weight, model.layers.1.mamba.norm.weight"},
		{"falcon_h1 norm that nobody uses", falconH1JSON, ``, ``, add("model.layers.0.mamba.norm.weight", 18), "1 tensor is not used by this family: model.layers.0.mamba.norm.weight"},
		{"falcon_h1 head dim", falconH1JSON, `"head_dim": 6`, `"head_dim": 4`, nil, "model.layers.0.self_attn.q_proj.weight: have [18 12], want [12 12] (head dim 4 from head_dim, heads 3 from num_attention_heads)" + question},
		{"nemotron_h list too short", nemotronHJSON, `["mamba", "moe", "attention", "mlp"]`, `["mamba", "moe", "attention"]`, nil, "3 tensors are not used by this family: backbone.layers.3.mixer.down_proj.weight, backbone.layers.3.mixer.up_proj.weight, backbone.layers.3.norm.weight; number of layers 3 from layers_block_type, but the tensors have 4" + question},
		{"nemotron_h list too long", nemotronHJSON, `["mamba", "moe", "attention", "mlp"]`, `["mamba", "moe", "attention", "mlp", "mamba"]`, nil, "9 tensors are missing: backbone.layers.4.norm.weight, backbone.layers.4.mixer.in_proj.weight, backbone.layers.4.mixer.conv1d.weight, …; number of layers 5 from layers_block_type, but the tensors have 4" + question},
		{"nemotron_h another kind", nemotronHJSON, `["mamba", "moe", "attention", "mlp"]`, `["mamba", "mlp", "attention", "mlp"]`, nil, "config.json: layer 1 is mlp by layers_block_type, but the tensors have backbone.layers.1.mixer.gate.weight" + question},
		{"nemotron_h unknown letter", nemotronHJSON, `"layers_block_type": ["mamba", "moe", "attention", "mlp"]`, `"hybrid_override_pattern": "ME*x"`, nil, "config.json: hybrid_override_pattern: layer 3 is x; known are mamba, attention, mlp, moe"},
		{"nemotron_h short pattern", nemotronHJSON, `"layers_block_type": ["mamba", "moe", "attention", "mlp"]`, `"hybrid_override_pattern": "ME*"`, nil, "3 tensors are not used by this family: backbone.layers.3.mixer.down_proj.weight, backbone.layers.3.mixer.up_proj.weight, backbone.layers.3.norm.weight; number of layers 3 from hybrid_override_pattern, but the tensors have 4" + question},
		{"nemotron_h groups of experts", nemotronHJSON, `"n_group": 1`, `"n_group": 4`, nil, "config.json: groups of experts 4 from n_group do not divide experts 6 from n_routed_experts"},
		{"nemotron_h too many groups", nemotronHJSON, `"topk_group": 1`, `"topk_group": 2`, nil, "config.json: groups of experts per token 2 from topk_group are more than groups of experts 1 from n_group"},
		{"nemotron_h too many experts taken", nemotronHJSON, `"n_group": 1`, `"n_group": 6`, nil, "config.json: experts per token 2 from num_experts_per_tok are more than 1 in groups of experts per token 1 from topk_group of groups of experts 6 from n_group, experts 6 from n_routed_experts"},
		{"nemotron_h experts", nemotronHJSON, `"n_routed_experts": 6`, `"n_routed_experts": 7`, nil, "backbone.layers.1.mixer.gate.weight: have [6 12], want [7 12] (experts 7 from n_routed_experts)" + question},
		{"nemotron_h missing expert", nemotronHJSON, ``, ``, drop("backbone.layers.1.mixer.experts.5.up_proj.weight"), "1 tensor is missing: backbone.layers.1.mixer.experts.5.up_proj.weight"},
		{"nemotron_h surplus expert", nemotronHJSON, ``, ``, add("backbone.layers.1.mixer.experts.6.up_proj.weight", 8, 12), "1 tensor is not used by this family: backbone.layers.1.mixer.experts.6.up_proj.weight"},
		{"nemotron_h inner size of experts", nemotronHJSON, `"moe_intermediate_size": 8`, `"moe_intermediate_size": 9`, nil, "backbone.layers.1.mixer.experts.0.up_proj.weight: have [8 12], want [9 12] (inner size of an expert 9 from moe_intermediate_size)" + question},
		{"nemotron_h inner size of the shared one", nemotronHJSON, `"moe_shared_expert_intermediate_size": 10`, `"moe_shared_expert_intermediate_size": 9`, nil, "backbone.layers.1.mixer.shared_experts.up_proj.weight: have [10 12], want [9 12] (inner size of the shared expert 9 from moe_shared_expert_intermediate_size)" + question},
		{"nemotron_h latent size that is not there", nemotronHJSON, `{`, `{"moe_latent_size": 4, `, nil, "2 tensors are missing: backbone.layers.1.mixer.fc1_latent_proj.weight, backbone.layers.1.mixer.fc2_latent_proj.weight"},
		{"nemotron_h latent tensors that nobody uses", nemotronHJSON, ``, ``, add("backbone.layers.1.mixer.fc1_latent_proj.weight", 4, 12), "1 tensor is not used by this family: backbone.layers.1.mixer.fc1_latent_proj.weight"},
		{"nemotron_h no correction", nemotronHJSON, ``, ``, drop("backbone.layers.1.mixer.gate.e_score_correction_bias"), "1 tensor is missing: backbone.layers.1.mixer.gate.e_score_correction_bias"},
		{"nemotron_h negative bound", nemotronHJSON, `{`, `{"time_step_min": -1, `, nil, "config.json: time_step_min: have -1, want 0 to 1e6"},
		{"nemotron_h heads", nemotronHJSON, `"mamba_num_heads": 6`, `"mamba_num_heads": 12`, nil, "backbone.layers.0.mixer.in_proj.weight: have [72 12], want [114 12] (groups 3 from n_groups, heads of mixers 12 from mamba_num_heads, inner size of mixers 36 from mamba_num_heads and mamba_head_dim, state size 5 from ssm_state_size)" + question},
		{"nemotron_h groups", nemotronHJSON, `"n_groups": 3`, `"n_groups": 4`, nil, "config.json: groups 4 from n_groups do not divide heads of mixers 6 from mamba_num_heads"},
		{"nemotron_h attention head dim", nemotronHJSON, `"head_dim": 6, `, `"attention_head_dim": 4, `, nil, "backbone.layers.2.mixer.q_proj.weight: have [18 12], want [12 12] (head dim 4 from attention_head_dim, heads 3 from num_attention_heads)" + question},
		{"zamba2 list too short", zamba2JSON, `"hybrid", "hybrid", "hybrid"]`, `"hybrid", "hybrid"]`, nil, "config.json: layers_block_type has 6 layers, but number of layers 7 from num_hidden_layers"},
		{"zamba2 a billion layers", zamba2JSON, `_layers": 7`, `_layers": 1073741824`, nil, "config.json: layers_block_type has 7 layers, but number of layers 1073741824 from num_hidden_layers"},
		{"zamba2 no list", zamba2JSON, `"layers_block_type": ["mamba", "hybrid", "hybrid", "mamba", "hybrid", "hybrid", "hybrid"], `, ``, nil, "config.json: the default of layers_block_type has 54 layers, but number of layers 7 from num_hidden_layers"},
		{"zamba2 another kind", zamba2JSON, `["mamba", "hybrid"`, `["hybrid", "mamba"`, nil, "config.json: layer 0 is hybrid by layers_block_type, but the tensors have model.layers.0.mamba.in_proj.weight" + question},
		{"zamba2 other hybrid layers", zamba2JSON, `{`, `{"hybrid_layer_ids": [1, 2, 4, 5], `, nil, "config.json: hybrid_layer_ids: have layers [1 2 4 5], but layers_block_type has them at [1 2 4 5 6]"},
		{"zamba2 unknown kind", zamba2JSON, `["mamba", "hybrid"`, `["mamba", "attention"`, nil, "config.json: layers_block_type: layer 1 is attention; known are mamba, hybrid"},
		{"zamba2 one block", zamba2JSON, `"num_mem_blocks": 2`, `"num_mem_blocks": 1`, nil, "2 tensors are missing: model.layers.1.shared_transformer.feed_forward.gate_up_proj_adapter_list.3.0.weight, model.layers.1.shared_transformer.feed_forward.gate_up_proj_adapter_list.3.1.weight"},
		{"zamba2 three blocks", zamba2JSON, `"num_mem_blocks": 2`, `"num_mem_blocks": 3`, nil, "10 tensors are missing: model.layers.4.shared_transformer.input_layernorm.weight, model.layers.4.shared_transformer.pre_ff_layernorm.weight, model.layers.4.shared_transformer.self_attn.q_proj.weight, …"},
		{"zamba2 rank", zamba2JSON, `"adapter_rank": 3`, `"adapter_rank": 4`, nil, "model.layers.1.shared_transformer.feed_forward.gate_up_proj_adapter_list.0.0.weight: have [3 12], want [4 12] (rank of adapters 4 from adapter_rank)" + question},
		{"zamba2 heads", zamba2JSON, `"num_attention_heads": 4`, `"num_attention_heads": 5`, nil, "config.json: heads 5 from num_attention_heads divide neither width of attention 24 from twice hidden_size nor rows of queries 24 from model.layers.1.shared_transformer.self_attn.q_proj.weight, and there is no head_dim"},
		{"zamba2 head dim", zamba2JSON, `{`, `{"attention_head_dim": 3, `, nil, "config.json: heads 4 from num_attention_heads times head dim 3 from attention_head_dim is 12, but width of attention 24 from twice hidden_size"},
		{"zamba2 adapters of fewer heads", zamba2JSON, `{`, `{"use_shared_attention_adapter": true, "num_key_value_heads": 2, `, nil, "config.json: heads of keys and values 2 from num_key_value_heads are fewer than heads 4 from num_attention_heads, but adapters (use_shared_attention_adapter) add to keys and values of all heads"},
		{"zamba2 adapters that are not there", zamba2JSON, `{`, `{"use_shared_attention_adapter": true, `, nil, "6 tensors are missing: model.layers.1.shared_transformer.self_attn.linear_q_adapter_list.0.0.weight, model.layers.1.shared_transformer.self_attn.linear_q_adapter_list.0.1.weight, model.layers.1.shared_transformer.self_attn.linear_k_adapter_list.0.0.weight, …"},
		{"zamba2 missing adapter", zamba2JSON, ``, ``, drop("model.layers.2.shared_transformer.feed_forward.gate_up_proj_adapter_list.3.1.weight"), "1 tensor is missing: model.layers.2.shared_transformer.feed_forward.gate_up_proj_adapter_list.3.1.weight"},
		{"zamba2 surplus adapter", zamba2JSON, ``, ``, add("model.layers.2.shared_transformer.feed_forward.gate_up_proj_adapter_list.5.1.weight", 14, 3), "1 tensor is not used by this family: model.layers.2.shared_transformer.feed_forward.gate_up_proj_adapter_list.5.1.weight"},
		{"zamba2 missing block", zamba2JSON, ``, ``, drop("model.layers.1.shared_transformer.self_attn.q_proj.weight"), "1 tensor is missing: model.layers.1.shared_transformer.self_attn.q_proj.weight"},
		{"zamba2 inner size", zamba2JSON, `"intermediate_size": 7`, `"intermediate_size": 8`, nil, "model.layers.1.shared_transformer.feed_forward.gate_up_proj.weight: have [14 12], want [16 12] (inner size of MLPs 8 from intermediate_size)" + question},
		{"zamba2 head dim of mixers", zamba2JSON, `{`, `{"mamba_headdim": 4, `, nil, "config.json: heads of mixers 6 from n_mamba_heads times head dim of mixers 4 from mamba_headdim is 24, but inner size 18 from mamba_expand and hidden_size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := hybridFake(t, c.config)
			if c.damage != nil {
				c.damage(f)
			}
			_, err := imported(edit(t, c.config, c.from, c.to), f)
			if fmt.Sprint(err) != c.want {
				t.Errorf("have %v\nwant %s", err, c.want)
			}
		})
	}
}
