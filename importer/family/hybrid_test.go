package family

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/text"
)

// hybridFake is the tensors of a config, which may have any options.
func hybridFake(t *testing.T, config string) fake {
	t.Helper()
	c, f := parseSettings(t, config), fake{}
	hybridFakes[c.text("model_type", "")](c, f)
	return f
}

// TestRestated holds the evaluator against formulas written down again, with
// options that no golden has.
func TestRestated(t *testing.T) {
	for _, c := range []struct{ name, config, options string }{
		{"mamba", mambaJSON, ""},
		{"mamba biases", mambaJSON, `"use_bias": true, "use_conv_bias": false, "tie_word_embeddings": false, "layer_norm_epsilon": 0.01`},
		{"mamba activation", mambaJSON, `"hidden_act": "gelu"`},
		{"falcon_mamba", mambaJSON, `"model_type": "falcon_mamba", "mixer_rms_eps": 0.02`},
		{"falcon_mamba activation", mambaJSON, `"model_type": "falcon_mamba", "hidden_act": "relu", "use_conv_bias": false`},
		{"jamba", jambaJSON, ""},
		{"jamba biases", jambaJSON, `"mamba_proj_bias": true, "mamba_conv_bias": false, "rms_norm_eps": 0.02, "tie_word_embeddings": true`},
		{"jamba activation", jambaJSON, `"hidden_act": "gelu_pytorch_tanh"`},
		{"jamba heads of the hidden size", jambaJSON, `"head_dim": null`},
		{"jamba one expert", jambaJSON, `"num_experts": 1, "num_experts_per_tok": 1`},
		{"mamba2", mamba2JSON, ""},
		{"mamba2 biases", mamba2JSON, `"use_bias": true, "use_conv_bias": false, "layer_norm_epsilon": 0.01`},
		{"mamba2 tied", mamba2JSON, `"tie_word_embeddings": true, "norm_before_gate": true, "rms_norm": false`},
		{"mamba2 limits", mamba2JSON, `"time_step_limit": [0.2, 0.5]`},
		{"mamba2 activation", mamba2JSON, `"hidden_act": "gelu_pytorch_tanh"`},
		{"bamba", bambaJSON, ""},
		{"bamba biases", bambaJSON, `"mamba_proj_bias": true, "mamba_conv_bias": false, "attention_bias": true, "mlp_bias": true, "rms_norm_eps": 0.02`},
		{"bamba rope", bambaJSON, `"rope_theta": 30.0, "partial_rotary_factor": 1.0, "hidden_act": "gelu", "time_step_limit": [0.3, 100]`},
		{"bamba odd half", bambaJSON, `"head_dim": 6, "rope_theta": 30.0`},
		{"bamba least half", bambaJSON, `"head_dim": 3`},
		{"granite", graniteJSON, ""},
		{"granite rope", graniteJSON, `"position_embedding_type": "rope", "rope_theta": 40.0, "partial_rotary_factor": 0.5`},
		{"granite without experts", graniteJSON, `"num_local_experts": 0`},
		{"granite limits", graniteJSON, `"time_step_limit": [0.05, 0.4], "attention_bias": true, "mamba_proj_bias": true, "tie_word_embeddings": true`},
		{"falcon_h1", falconH1JSON, ""},
		{"falcon_h1 multipliers", falconH1JSON, `"embedding_multiplier": 1.5, "lm_head_multiplier": 0.7, "attention_in_multiplier": 0.6,
			"attention_out_multiplier": 1.3, "key_multiplier": 0.45, "ssm_in_multiplier": 1.2, "ssm_out_multiplier": 0.8,
			"ssm_multipliers": [0.3, 0.5, 1.4, 0.9, 1.7], "mlp_multipliers": [0.65, 1.9]`},
		{"falcon_h1 multipliers alike", falconH1JSON, `"ssm_multipliers": [0.3, 0.5, 0.5, 0.5, 0.5]`},
		{"falcon_h1 norm first", falconH1JSON, `"mamba_rms_norm": true`},
		{"falcon_h1 norm last", falconH1JSON, `"mamba_rms_norm": true, "mamba_norm_before_gate": false, "rope_theta": 1e11`},
		{"falcon_h1 biases", falconH1JSON, `"mamba_proj_bias": true, "projectors_bias": false, "attention_bias": true, "mlp_bias": true`},
		{"falcon_h1 other biases", falconH1JSON, `"projectors_bias": true, "mamba_conv_bias": false, "key_multiplier": 2.0, "attention_bias": true`},
		{"falcon_h1 rope", falconH1JSON, `"rope_theta": 30.0, "partial_rotary_factor": 0.5`},
		{"falcon_h1 limits", falconH1JSON, `"time_step_limit": [0.2, 0.5], "hidden_act": "gelu"`},
		{"nemotron_h", nemotronHJSON, ""},
		{"nemotron_h tied", nemotronHJSON, `"tie_word_embeddings": true`},
		{"nemotron_h groups", nemotronHJSON, `"n_group": 3, "topk_group": 2, "num_experts_per_tok": 3, "routed_scaling_factor": 2.5`},
		{"nemotron_h latent", nemotronHJSON, `"moe_latent_size": 5, "norm_topk_prob": false, "n_group": 2, "topk_group": 1`},
		{"nemotron_h fused", nemotronHJSON, `"fused": true, "moe_latent_size": 5, "moe_intermediate_size": null`},
		{"nemotron_h latent biases", nemotronHJSON, `"moe_latent_size": 5, "mlp_bias": true`},
		{"nemotron_h biases", nemotronHJSON, `"use_bias": true, "mlp_bias": true, "use_conv_bias": false, "time_step_min": 0.4, "mlp_hidden_act": "silu"`},
		{"nemotron_h activation", nemotronHJSON, `"mamba_hidden_act": "gelu_pytorch_tanh"`},
		{"zamba2", zamba2JSON, `"tie_word_embeddings": true`},
		{"zamba2 adapters", zamba2JSON, `"use_shared_attention_adapter": true, "use_mem_rope": true, "rope_theta": 50.0, "partial_rotary_factor": 0.5, "tie_word_embeddings": true`},
		{"zamba2 biases", zamba2JSON, `"add_bias_linear": true, "hidden_act": "silu", "time_step_min": 0.3, "rms_norm_eps": 0.05, "tie_word_embeddings": false`},
		{"zamba2 copies", zamba2JSON, `"copies": true, "use_shared_attention_adapter": true, "tie_word_embeddings": true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := c.config
			if c.options != "" {
				config = fmt.Sprintf(`%s, %s}`, config[:len(config)-1], c.options)
			}
			sameAsSlow(t, config, hybridFake(t, config))
		})
	}
}

// TestHybridTolerance: what configs may say in other words, or beside.
func TestHybridTolerance(t *testing.T) {
	for _, c := range []struct{ name, config, from, to string }{
		{"sizes are in the shapes", mamba2JSON, `"expand": 1.5, "num_heads": 6, "head_dim": 3`, `"hidden_act": "swish"`},
		{"no state size", mamba2JSON, `"state_size": 5, "conv_kernel": 3, `, ``},
		{"heads make the inner size", mamba2JSON, `"expand": 1.5, `, ``},
		{"bare infinity", mamba2JSON, `{`, `{"time_step_limit": [0.0, Infinity], `},
		{"infinity of 5.x", mamba2JSON, `{`, `{"time_step_limit": [0.0, {"__float__": "Infinity"}], `},
		{"infinity in a string", mamba2JSON, `{`, `{"time_step_limit": [-1e-3, "Infinity"], `},
		{"infinity as a number", mamba2JSON, `{`, `{"time_step_limit": [-1e999, 1e999], `},
		{"no limit", mamba2JSON, `{`, `{"time_step_limit": null, `},
		{"limits without effect", mamba2JSON, `{`, `{"time_step_min": 0.7, "time_step_max": 0.8, "chunk_size": 7, `},
		{"norms of another implementation", mamba2JSON, `{`, `{"norm_before_gate": true, "rms_norm": false, "time_step_rank": 9, `},
		{"a head dim that is derived", bambaJSON, `"mamba_d_head": 3`, `"mamba_d_head": "auto"`},
		{"a list for the indices", bambaJSON, `"attn_layer_indices": [1]`, `"layers_block_type": ["mamba", "attention", "mamba"]`},
		{"other words", graniteJSON, `["mamba", "attention", "mamba"]`, `["linear_attention", "full_attention", "linear_attention"]`},
		{"another key", graniteJSON, `"layer_types"`, `"layers_block_type"`},
		{"null comes first", graniteJSON, `"layer_types"`, `"layer_types": null, "layers_block_type"`},
		{"no positions", graniteJSON, `{`, `{"position_embedding_type": "nope", "rope_theta": 7, `},
		{"an inner size that is derived", falconH1JSON, `"mamba_d_ssm": 18`, `"mamba_d_ssm": null`},
		{"an inner size that is not told", falconH1JSON, `"mamba_d_ssm": 18, `, ``},
		{"multipliers of 1", falconH1JSON, `{`, `{"ssm_multipliers": [1, 1.0, 1, 1, 1], "mlp_multipliers": [1, 1], "key_multiplier": 1, `},
		{"older words", nemotronHJSON, `["mamba", "moe", "attention", "mlp"]`, `["linear_attention", "moe", "full_attention", "mlp"]`},
		{"a pattern", nemotronHJSON, `"layers_block_type": ["mamba", "moe", "attention", "mlp"]`, `"hybrid_override_pattern": "ME*-"`},
		{"a pattern beside the list", nemotronHJSON, `{`, `{"hybrid_override_pattern": "M-M-", `},
		{"the list that is the default", nemotronHJSON, `"layers_block_type": ["mamba", "moe", "attention", "mlp"]`, `"layer_types": null`},
		{"older keys", nemotronHJSON, `"head_dim": 6, "intermediate_size": 7, "mamba_num_heads": 6, "mamba_head_dim": 3, "n_groups": 3,
	"ssm_state_size": 5, "conv_kernel": 3`, `"attention_head_dim": 6, "mamba_num_heads": 6, "mamba_n_groups": 3, "mamba_d_conv": 3`},
		{"a head dim of each release", nemotronHJSON, `{`, `{"attention_head_dim": 99, `},
		{"keys without effect", nemotronHJSON, `{`, `{"num_hidden_layers": 52, "expand": 2, "time_step_limit": [0.5, 0.6], "sliding_window": 2, "attention_bias": true, `},
		{"copies of what is derived", zamba2JSON, `{`, `{"attention_hidden_size": 24, "attention_head_dim": 6, "mamba_headdim": 3, "hybrid_layer_ids": [1, 2, 4, 5, 6], "use_long_context": true, `},
		{"a rank that is not told", zamba2JSON, `, "adapter_rank": 3`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := hybridFake(t, c.config)
			want := text.Format(must(t, c.config, f).Module)
			if got := text.Format(must(t, edit(t, c.config, c.from, c.to), f).Module); got != want {
				t.Errorf("the module is\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestFurtherTokens: what guesses several tokens at once is passed over.
func TestFurtherTokens(t *testing.T) {
	f := hybridFake(t, nemotronHJSON)
	f.set("mtp.layers.0.norm.weight", 12)
	must(t, nemotronHJSON, f)
	f.set("mtpx.layers.0.norm.weight", 12)
	if _, err := imported(nemotronHJSON, f); fmt.Sprint(err) != "1 tensor is not used by this family: mtpx.layers.0.norm.weight" {
		t.Errorf("have %v", err)
	}
}

// TestDefaultKinds: layers where no list says what they are.
func TestDefaultKinds(t *testing.T) {
	zamba := &zamba2{trunk: trunk{set: NewSet(fake{}), prefix: "model.layers."}, blocks: size{n: 2}}
	zamba.readKinds(&reader{})
	if want := []int{6, 12, 18, 24, 30, 36, 42, 47, 51}; !slices.Equal(zamba.hybrids, want) || zamba.layers.n != 54 {
		t.Errorf("hybrid layers are %v of %d, want %v of 54", zamba.hybrids, zamba.layers.n, want)
	}
	config := edit(t, edit(t, graniteJSON, `"layer_types": ["mamba", "attention", "mamba"],`, ``), `"num_hidden_layers": 3`, `"num_hidden_layers": 1`)
	f := hybridFake(t, graniteJSON)
	for _, i := range []int{1, 2} {
		maps.DeleteFunc(f, func(name string, _ Tensor) bool { return strings.HasPrefix(name, fmt.Sprintf("model.layers.%d.", i)) })
	}
	if states := must(t, config, f).Module.States; len(states) != 2 || states[1].Kind != ir.Recurrence {
		t.Errorf("states are %v, want those of a mixer", states)
	}
}
