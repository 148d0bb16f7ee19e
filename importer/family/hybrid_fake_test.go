package family

import "fmt"

// The configs of the hybrids; their sizes are odd, and no two of one config
// that may be mistaken for each other are the same.
const (
	mamba2JSON = `{"model_type": "mamba2", "vocab_size": 23, "hidden_size": 12, "num_hidden_layers": 2, "expand": 1.5, "num_heads": 6, "head_dim": 3,
	"n_groups": 3, "state_size": 5, "conv_kernel": 3, "eos_token_id": 2, "bos_token_id": 1}`

	mambaKeys = `"mamba_n_heads": 6, "mamba_d_head": 3, "mamba_expand": 1.5, "mamba_n_groups": 2, "mamba_d_state": 5, "mamba_d_conv": 3`

	bambaJSON = `{"model_type": "bamba", "vocab_size": 23, "hidden_size": 12, "num_hidden_layers": 3, "intermediate_size": 7, "num_attention_heads": 3,
	"num_key_value_heads": 1, "attn_layer_indices": [1], ` + mambaKeys + `}`

	graniteJSON = `{"model_type": "granitemoehybrid", "vocab_size": 23, "hidden_size": 12, "num_hidden_layers": 3, "intermediate_size": 7,
	"shared_intermediate_size": 9, "num_local_experts": 5, "num_experts_per_tok": 2, "num_attention_heads": 6, "num_key_value_heads": 2,
	"layer_types": ["mamba", "attention", "mamba"], "attention_multiplier": 0.3, "embedding_multiplier": 1.7, "residual_multiplier": 0.4,
	"logits_scaling": 0.8, ` + mambaKeys + `}`

	falconH1JSON = `{"model_type": "falcon_h1", "vocab_size": 23, "hidden_size": 12, "num_hidden_layers": 2, "intermediate_size": 7,
	"num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 6, "mamba_d_ssm": 18, ` + mambaKeys + `}`

	nemotronHJSON = `{"model_type": "nemotron_h", "vocab_size": 23, "hidden_size": 12, "layers_block_type": ["mamba", "moe", "attention", "mlp"],
	"num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 6, "intermediate_size": 7, "mamba_num_heads": 6, "mamba_head_dim": 3, "n_groups": 3,
	"ssm_state_size": 5, "conv_kernel": 3, "n_routed_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 8,
	"moe_shared_expert_intermediate_size": 10, "n_group": 1, "topk_group": 1}`

	zamba2JSON = `{"model_type": "zamba2", "vocab_size": 23, "hidden_size": 12, "num_hidden_layers": 7,
	"layers_block_type": ["mamba", "hybrid", "hybrid", "mamba", "hybrid", "hybrid", "hybrid"], "mamba_d_state": 5, "mamba_d_conv": 3, "mamba_expand": 1.5,
	"mamba_ngroups": 2, "n_mamba_heads": 6, "num_attention_heads": 4, "intermediate_size": 7, "num_mem_blocks": 2, "adapter_rank": 3}`
)

// hybridFakes make the tensors that a config asks for.
var hybridFakes = map[string]func(c settings, f fake){
	"mamba": fakeMamba, "falcon_mamba": fakeMamba, "jamba": fakeJamba,
	"mamba2": fakeMamba2, "bamba": fakeBamba, "granitemoehybrid": fakeGranite, "falcon_h1": fakeFalconH1, "nemotron_h": fakeNemotronH, "zamba2": fakeZamba2,
}

// fakeTrunk is what is around the layers.
func (f fake) trunk(c settings, embedding, norm string) {
	f.set(embedding, c.int("vocab_size"), c.int("hidden_size"))
	f.set(norm, c.int("hidden_size"))
	if tied, _ := c["tie_word_embeddings"].(bool); !tied {
		f.set("lm_head.weight", c.int("vocab_size"), c.int("hidden_size"))
	}
}

// linear is a matrix and perhaps a bias.
func (f fake) linear(prefix string, rows, columns int, bias bool) {
	f.set(prefix+".weight", rows, columns)
	if bias {
		f.set(prefix+".bias", rows)
	}
}

// fakeMixer is the sizes of a Mamba-2 mixer.
type fakeMixer struct {
	hidden, inner, heads, groups, states, taps int
	in, conv, out, norm                        bool // what is stored of biases and the norm
}

func (f fake) mixer2(prefix string, m fakeMixer) {
	channels := m.inner + 2*m.groups*m.states
	f.linear(prefix+"in_proj", m.inner+channels+m.heads, m.hidden, m.in)
	f.set(prefix+"conv1d.weight", channels, 1, m.taps)
	if m.conv {
		f.set(prefix+"conv1d.bias", channels)
	}
	f.set(prefix+"A_log", m.heads)
	f.set(prefix+"D", m.heads)
	f.set(prefix+"dt_bias", m.heads)
	if m.norm {
		f.set(prefix+"norm.weight", m.inner)
	}
	f.linear(prefix+"out_proj", m.hidden, m.inner, m.out)
}

func (f fake) attention(prefix string, in, out, heads, kv, dim int, bias bool) {
	f.linear(prefix+"q_proj", heads*dim, in, bias)
	f.linear(prefix+"k_proj", kv*dim, in, bias)
	f.linear(prefix+"v_proj", kv*dim, in, bias)
	f.linear(prefix+"o_proj", out, heads*dim, bias)
}

func (f fake) swiGLU(prefix string, c settings) {
	for name, shape := range map[string][2]int{"gate_proj": {7, 12}, "up_proj": {7, 12}, "down_proj": {12, 7}} {
		f.linear(prefix+name, shape[0], shape[1], c.flag("mlp_bias"))
	}
}

// unless is a flag that is true where the config is silent.
func (s settings) unless(name string) bool { return s[name] != false }

func fakeMamba2(c settings, f fake) {
	f.trunk(c, "backbone.embeddings.weight", "backbone.norm_f.weight")
	for i := range 2 {
		prefix := fmt.Sprintf("backbone.layers.%d.", i)
		f.set(prefix+"norm.weight", 12)
		f.mixer2(prefix+"mixer.", fakeMixer{12, 18, 6, 3, 5, 3, c.flag("use_bias"), c.unless("use_conv_bias"), c.flag("use_bias"), true})
	}
}

// hybridMixer is the mixer of mambaKeys.
func hybridMixer(c settings) fakeMixer {
	bias := c.flag("mamba_proj_bias")
	return fakeMixer{12, 18, 6, 2, 5, 3, bias, c.unless("mamba_conv_bias"), bias, true}
}

func fakeBamba(c settings, f fake) {
	f.trunk(c, "model.embed_tokens.weight", "model.final_layernorm.weight")
	for i := range 3 {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		f.set(prefix+"input_layernorm.weight", 12)
		f.set(prefix+"pre_ff_layernorm.weight", 12)
		f.swiGLU(prefix+"feed_forward.", c)
		if i == 1 {
			f.attention(prefix+"self_attn.", 12, 12, 3, 1, int(c.number("head_dim", 4)), c.flag("attention_bias"))
		} else {
			f.mixer2(prefix+"mamba.", hybridMixer(c))
		}
	}
}

func fakeGranite(c settings, f fake) {
	f.trunk(c, "model.embed_tokens.weight", "model.norm.weight")
	for i := range 3 {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		f.set(prefix+"input_layernorm.weight", 12)
		f.set(prefix+"post_attention_layernorm.weight", 12)
		f.set(prefix+"shared_mlp.input_linear.weight", 18, 12)
		f.set(prefix+"shared_mlp.output_linear.weight", 12, 9)
		if c.int("num_local_experts") > 0 {
			f.set(prefix+"block_sparse_moe.router.layer.weight", 5, 12)
			f.set(prefix+"block_sparse_moe.input_linear.weight", 5, 14, 12)
			f.set(prefix+"block_sparse_moe.output_linear.weight", 5, 12, 7)
		}
		if i == 1 {
			f.attention(prefix+"self_attn.", 12, 12, 6, 2, 2, c.flag("attention_bias"))
		} else {
			f.mixer2(prefix+"mamba.", hybridMixer(c))
		}
	}
}

func fakeFalconH1(c settings, f fake) {
	f.trunk(c, "model.embed_tokens.weight", "model.final_layernorm.weight")
	m := hybridMixer(c)
	m.out, m.norm = c.flag("projectors_bias"), c.flag("mamba_rms_norm")
	for i := range 2 {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		f.set(prefix+"input_layernorm.weight", 12)
		f.set(prefix+"pre_ff_layernorm.weight", 12)
		f.mixer2(prefix+"mamba.", m)
		f.attention(prefix+"self_attn.", 12, 12, 3, 1, 6, c.flag("attention_bias"))
		f.swiGLU(prefix+"feed_forward.", c)
	}
}

func fakeNemotronH(c settings, f fake) {
	f.trunk(c, "backbone.embeddings.weight", "backbone.norm_f.weight")
	f.set("lm_head.weight", c.int("vocab_size"), c.int("hidden_size"))
	upDown := func(prefix string, hidden, inner int, bias bool) {
		f.linear(prefix+"up_proj", inner, hidden, bias)
		f.linear(prefix+"down_proj", hidden, inner, bias)
	}
	prefix := func(i int) string {
		f.set(fmt.Sprintf("backbone.layers.%d.norm.weight", i), 12)
		return fmt.Sprintf("backbone.layers.%d.mixer.", i)
	}
	f.mixer2(prefix(0), fakeMixer{12, 18, 6, 3, 5, 3, c.flag("use_bias"), c.unless("use_conv_bias"), c.flag("use_bias"), true})
	f.attention(prefix(2), 12, 12, 3, 1, 6, false)
	upDown(prefix(3), 12, 7, c.flag("mlp_bias"))
	moe, latent := prefix(1), 12
	f.set(moe+"gate.weight", 6, 12)
	f.set(moe+"gate.e_score_correction_bias", 6)
	upDown(moe+"shared_experts.", 12, 10, c.flag("mlp_bias"))
	if c["moe_latent_size"] != nil {
		latent = c.int("moe_latent_size")
		f.linear(moe+"fc1_latent_proj", latent, 12, c.flag("mlp_bias"))
		f.linear(moe+"fc2_latent_proj", 12, latent, c.flag("mlp_bias"))
	}
	if c.flag("fused") {
		f.set(moe+"experts.up_proj", 6, 8, latent)
		f.set(moe+"experts.down_proj", 6, latent, 8)
		return
	}
	for e := range 6 {
		upDown(fmt.Sprintf("%sexperts.%d.", moe, e), latent, 8, false)
	}
}

// fakeZamba2 has five hybrid layers and two blocks, or a copy in every layer.
func fakeZamba2(c settings, f fake) {
	f.trunk(c, "model.embed_tokens.weight", "model.final_layernorm.weight")
	bias := c.flag("add_bias_linear")
	m := fakeMixer{12, 18, 6, 2, 5, 3, bias, true, bias, true}
	j := 0
	for i, kind := range c.words("layers_block_type") {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		if kind == "mamba" {
			f.set(prefix+"input_layernorm.weight", 12)
			f.mixer2(prefix+"mamba.", m)
			continue
		}
		f.set(prefix+"linear.weight", 12, 12)
		f.set(prefix+"mamba_decoder.input_layernorm.weight", 12)
		f.mixer2(prefix+"mamba_decoder.mamba.", m)
		if j < 2 || c.flag("copies") {
			f.zamba2Block(c, prefix+"shared_transformer.", j%2)
		}
		j++
	}
}

func (f fake) zamba2Block(c settings, prefix string, block int) {
	f.set(prefix+"input_layernorm.weight", 24)
	f.set(prefix+"pre_ff_layernorm.weight", 12)
	f.attention(prefix+"self_attn.", 24, 12, 4, 4, 6, false)
	f.linear(prefix+"feed_forward.gate_up_proj", 14, 12, c.flag("add_bias_linear"))
	f.linear(prefix+"feed_forward.down_proj", 12, 7, c.flag("add_bias_linear"))
	for j := block; j < 5; j += 2 {
		list := fmt.Sprintf("%sfeed_forward.gate_up_proj_adapter_list.%d.", prefix, j)
		f.set(list+"0.weight", 3, 12)
		f.set(list+"1.weight", 14, 3)
		if c.flag("use_shared_attention_adapter") {
			for _, what := range []string{"q", "k", "v"} {
				list := fmt.Sprintf("%sself_attn.linear_%s_adapter_list.%d.", prefix, what, j)
				f.set(list+"0.weight", 3, 24)
				f.set(list+"1.weight", 24, 3)
			}
		}
	}
}
