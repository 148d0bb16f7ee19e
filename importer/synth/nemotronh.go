package synth

import "fmt"

func init() {
	registerFamily(family{
		name:       "nemotron_h",
		container:  "safetensors",
		recognise:  modelType("nemotron_h"),
		parameters: nemotronHParameters,
		complete:   completeNemotronH,
		base: `{"architectures": ["NemotronHForCausalLM"], "model_type": "nemotron_h", "attention_bias": false, "bos_token_id": 1,
			"chunk_size": 128, "conv_kernel": 4, "eos_token_id": 2, "expand": 2, "head_dim": 128, "hybrid_override_pattern": null,
			"layer_norm_epsilon": 1e-05, "layer_types": null, "mamba_head_dim": 64, "mamba_hidden_act": "silu",
			"mamba_proj_bias": false, "max_position_embeddings": 8192, "mlp_bias": false, "mlp_hidden_act": "relu2",
			"moe_latent_size": null, "n_group": 1, "norm_topk_prob": true, "pad_token_id": 0,
			"residual_in_fp32": false, "routed_scaling_factor": 1.0, "ssm_state_size": 128, "tie_word_embeddings": false,
			"time_step_floor": 0.0001, "time_step_limit": null, "time_step_max": 0.1, "time_step_min": 0.001, "topk_group": 1,
			"use_bias": false, "use_conv_bias": true, "vocab_size": 131072}`,
		small: `{"head_dim": 16, "hidden_size": 64, "intermediate_size": 96, "mamba_head_dim": 16, "moe_intermediate_size": 48,
			"moe_shared_expert_intermediate_size": 80, "n_routed_experts": 4, "num_experts_per_tok": 2,
			"num_hidden_layers": 5, "ssm_state_size": 16, "vocab_size": 256}`,
		presets: []preset{
			{"nemotron-h-4b", `{"hidden_size": 3072, "hybrid_override_pattern": "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
				"intermediate_size": 12288, "mamba_num_heads": 112, "n_groups": 8, "num_attention_heads": 32, "num_hidden_layers": 52,
				"num_key_value_heads": 8}`},
		},
	})
}

// nemotronWords are the names of layers in files of either age, and nemotronMarks
// the letters of the oldest.
var (
	nemotronWords = map[string]string{
		"mamba": "mamba", "linear_attention": "mamba", "attention": "attention", "full_attention": "attention", "mlp": "mlp", "moe": "moe",
	}
	nemotronMarks = map[rune]string{'M': "mamba", '*': "attention", '-': "mlp", 'E': "moe"}
)

// completeNemotronH makes layers of every kind in turn.
func completeNemotronH(c *config) {
	hidden, headDim := c.size("hidden_size", 4096), c.size("mamba_head_dim", 64)
	if c.has("mamba_num_heads") {
		c.setAbsent("n_groups", divisor(c.size("mamba_num_heads", 128), 2))
	}
	c.setAbsent("n_groups", 2)
	c.setAbsent("mamba_num_heads", roundUp((2*hidden+headDim-1)/headDim, c.size("n_groups", 8)))
	heads := c.size("num_attention_heads", 4)
	c.setAbsent("num_attention_heads", heads)
	c.setAbsent("num_key_value_heads", divisor(heads, max(1, heads/2)))
	if c.has("hybrid_override_pattern") || c.has("layer_types") {
		return
	}
	kinds := make([]string, c.layers("num_hidden_layers", 5))
	for i := range kinds {
		kinds[i] = []string{"mamba", "mlp", "attention", "mamba", "moe"}[i%5]
	}
	c.setAbsent("layers_block_type", kinds)
}

// nemotronKinds is the kind of each layer.
func (c *config) nemotronKinds() []string {
	if kinds := c.layerKinds(nemotronWords, "layers_block_type", "layer_types"); kinds != nil {
		return kinds
	}
	if !c.has("hybrid_override_pattern") {
		return []string{"mamba", "moe", "attention", "mlp"}
	}
	var kinds []string
	for i, mark := range c.text("hybrid_override_pattern") {
		kind, ok := nemotronMarks[mark]
		if !ok {
			c.fail("hybrid_override_pattern", fmt.Errorf("mark %d is %q, want M, *, - or E", i, mark))
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// nemotronMixer reads the mixer, whose inner size the heads alone make up.
func (c *config) nemotronMixer(hidden int) *mixer2 {
	m := &mixer2{
		hiddenSize: hidden,
		heads:      c.size("mamba_num_heads", 128),
		headDim:    c.size("mamba_head_dim", 64),
		groups:     c.size("n_groups", 8),
		stateSize:  c.size("ssm_state_size", 128),
		convKernel: c.size("conv_kernel", 4),
		bias:       c.flag("use_bias", false),
		convBias:   c.flag("use_conv_bias", true),
		hasNorm:    true,
	}
	m.outBias = m.bias
	m.check(c, "n_groups")
	return m
}

// nemotronMoE is the sizes of a layer of experts.
type nemotronMoE struct {
	hiddenSize, experts, inner, shared int
	latentSize                         int  // 0 for none
	bias                               bool // but of the experts
}

func (c *config) nemotronMoE(hidden int) *nemotronMoE {
	return &nemotronMoE{
		hiddenSize: hidden, experts: c.experts("num_experts_per_tok", 8, "n_routed_experts"),
		inner: c.size("moe_intermediate_size", 7688), shared: c.size("moe_shared_expert_intermediate_size", 7688),
		latentSize: c.count("moe_latent_size", 0), bias: c.flag("mlp_bias", false),
	}
}

func (m *nemotronMoE) add(s scope, gain float64) {
	s.matrix("gate", m.experts, m.hiddenSize, 1, false)
	s.keep("gate.e_score_correction_bias", small, m.experts)
	width, out := m.hiddenSize, gain
	if m.latentSize > 0 {
		width, out = m.latentSize, 1
		s.matrix("fc1_latent_proj", width, m.hiddenSize, 1, m.bias)
		s.matrix("fc2_latent_proj", m.hiddenSize, width, gain, m.bias)
	}
	for j := range m.experts {
		expert := s.in("experts." + itoa(j))
		expert.matrix("up_proj", m.inner, width, 1, false)
		expert.matrix("down_proj", width, m.inner, out, false)
	}
	shared := s.in("shared_experts")
	shared.matrix("up_proj", m.shared, m.hiddenSize, 1, m.bias)
	shared.matrix("down_proj", m.hiddenSize, m.shared, gain, m.bias)
}

// nemotronHParameters restates families.md §10: one branch a layer.
func nemotronHParameters(c *config, s scope) {
	hidden, inner, mlpBias := c.size("hidden_size", 4096), c.size("intermediate_size", 21504), c.flag("mlp_bias", false)
	kinds := c.nemotronKinds()
	m, moe := c.nemotronMixer(hidden), c.nemotronMoE(hidden)
	if !c.has("head_dim") {
		c.setAbsent("head_dim", c.size("attention_head_dim", 128))
	}
	a := c.attention(hidden, 32, 8)
	e := &ends{
		vocabulary: c.size("vocab_size", 131072), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", false),
		embedding: "backbone.embeddings.weight", head: "lm_head.weight", multiplier: 1, factor: 1,
	}
	gain := e.gain(len(kinds), 1)
	e.begin(s)
	for i, kind := range kinds {
		layer := s.in("backbone.layers." + itoa(i))
		layer.norm("norm", hidden)
		mixer := layer.in("mixer")
		switch kind {
		case "mamba":
			m.add(mixer, gain)
		case "attention":
			a.add(mixer, gain)
		case "mlp":
			mixer.matrix("up_proj", inner, hidden, 1, mlpBias)
			mixer.matrix("down_proj", hidden, inner, gain, mlpBias)
		case "moe":
			moe.add(mixer, gain)
		}
	}
	s.norm("backbone.norm_f", hidden)
	e.end(s)
}
