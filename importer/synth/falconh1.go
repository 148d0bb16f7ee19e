package synth

func init() {
	registerFamily(family{
		name:       "falcon_h1",
		container:  "safetensors",
		recognise:  modelType("falcon_h1"),
		parameters: falconH1Parameters,
		complete:   completeFalconH1,
		base: `{"architectures": ["FalconH1ForCausalLM"], "model_type": "falcon_h1", "attention_bias": false,
			"attention_in_multiplier": 1.0, "attention_out_multiplier": 0.9375, "bos_token_id": 1,
			"embedding_multiplier": 5.656854249492381, "eos_token_id": 11, "hidden_act": "silu", "key_multiplier": 0.390625,
			"lm_head_multiplier": 0.0390625, "mamba_chunk_size": 128, "mamba_conv_bias": true, "mamba_d_conv": 4,
			"mamba_d_state": 128, "mamba_expand": 2, "mamba_n_groups": 1, "mamba_norm_before_gate": false, "mamba_proj_bias": false,
			"mamba_rms_norm": false, "max_position_embeddings": 16384, "mlp_bias": false,
			"mlp_multipliers": [0.8838834764831844, 0.5859375], "pad_token_id": 0, "projectors_bias": false, "rms_norm_eps": 1e-05,
			"rope_parameters": null, "rope_scaling": null, "rope_theta": 100000000000.0, "ssm_in_multiplier": 1.25,
			"ssm_multipliers": [0.3535533905932738, 0.25, 0.3535533905932738, 0.5, 0.3535533905932738],
			"ssm_out_multiplier": 0.23570226039551587, "tie_word_embeddings": false, "time_step_limit": null, "vocab_size": 32784}`,
		small: `{"hidden_size": 64, "eos_token_id": 2, "intermediate_size": 96, "mamba_d_state": 16, "num_hidden_layers": 2, "vocab_size": 256}`,
		presets: []preset{
			// Of tie_word_embeddings there are both answers to be found; untied
			// makes up the published 0.52 billion.
			{"falcon-h1-0.5b", `{"head_dim": 64, "hidden_size": 1024, "intermediate_size": 2048, "mamba_d_head": 64,
				"mamba_d_ssm": 1536, "mamba_n_heads": 24, "num_attention_heads": 8, "num_hidden_layers": 36, "num_key_value_heads": 2}`},
		},
	})
}

// completeFalconH1 derives what makes up the inner size, which may be any.
func completeFalconH1(c *config) {
	hidden := c.size("hidden_size", 4096)
	c.completeAttention(hidden, 4, 2)
	inner, groups := c.expanded("mamba_expand", hidden), c.size("mamba_n_groups", 1)
	if c.has("mamba_d_ssm") {
		inner = c.size("mamba_d_ssm", 1)
	}
	heads, headDim := headsOf(inner, groups)
	switch {
	case c.has("mamba_n_heads"):
		heads = c.size("mamba_n_heads", 1)
		headDim = c.sizeOrAuto("mamba_d_head", (inner+heads-1)/heads)
	case c.has("mamba_d_head"):
		headDim = c.sizeOrAuto("mamba_d_head", headDim)
		heads = roundUp((inner+headDim-1)/headDim, groups)
	}
	c.setAbsent("mamba_n_heads", heads)
	c.setAbsent("mamba_d_head", headDim)
	c.setAbsent("mamba_d_ssm", heads*headDim)
}

// falconH1 is the multipliers of families.md §12, for which weights make up.
type falconH1 struct {
	attentionIn, attentionOut, key, ssmIn, ssmOut float64
	ssm, mlp                                      []float64
}

func (c *config) falconH1() *falconH1 {
	return &falconH1{
		attentionIn: c.positive("attention_in_multiplier", 1), attentionOut: c.positive("attention_out_multiplier", 1),
		key: c.positive("key_multiplier", 1), ssmIn: c.positive("ssm_in_multiplier", 1), ssmOut: c.positive("ssm_out_multiplier", 1),
		ssm: c.positives("ssm_multipliers", 5), mlp: c.positives("mlp_multipliers", 2),
	}
}

// falconH1Mixer reads the mixer.
func (c *config) falconH1Mixer(hidden int, by *falconH1) *mixer2 {
	m := &mixer2{
		hiddenSize: hidden,
		heads:      c.size("mamba_n_heads", 128),
		groups:     c.size("mamba_n_groups", 1),
		stateSize:  c.size("mamba_d_state", 256),
		convKernel: c.size("mamba_d_conv", 4),
		bias:       c.flag("mamba_proj_bias", false),
		outBias:    c.flag("projectors_bias", false),
		convBias:   c.flag("mamba_conv_bias", true),
		hasNorm:    c.flag("mamba_rms_norm", false),
	}
	inner := c.expanded("mamba_expand", hidden)
	if c.has("mamba_d_ssm") {
		inner = c.size("mamba_d_ssm", 1024)
	}
	m.headDim = c.sizeOrAuto("mamba_d_head", inner/m.heads)
	if m.innerSize() != inner {
		c.fail("mamba_n_heads", errContradiction(m.innerSize(), inner, "mamba_d_ssm"))
	}
	m.check(c, "mamba_n_groups")
	for _, x := range by.ssm {
		m.multipliers = append(m.multipliers, x*by.ssmIn)
	}
	return m
}

// falconH1Parameters restates families.md §12.
func falconH1Parameters(c *config, s scope) {
	hidden, layers := c.size("hidden_size", 4096), c.layers("num_hidden_layers", 32)
	inner, mlpBias := c.size("intermediate_size", 14336), c.flag("mlp_bias", false)
	by := c.falconH1()
	m, a := c.falconH1Mixer(hidden, by), c.attention(hidden, 32, 8)
	a.bias = c.flag("attention_bias", false)
	a.scale *= by.attentionIn * by.attentionIn * by.key
	e := &ends{
		vocabulary: c.size("vocab_size", 128000), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", false),
		embedding: "model.embed_tokens.weight", head: "lm_head.weight",
		multiplier: c.positive("embedding_multiplier", 1), factor: c.positive("lm_head_multiplier", 1),
	}
	e.begin(s)
	for i := range layers {
		layer := s.in("model.layers." + itoa(i))
		layer.norm("input_layernorm", hidden)
		m.add(layer.in("mamba"), e.gain(3*layers, by.ssmOut))
		a.add(layer.in("self_attn"), e.gain(3*layers, by.attentionOut*by.attentionIn))
		layer.norm("pre_ff_layernorm", hidden)
		layer.in("feed_forward").gated(hidden, inner, e.gain(3*layers, by.mlp[1]), by.mlp[0], mlpBias)
	}
	s.norm("model.final_layernorm", hidden)
	e.end(s)
}
