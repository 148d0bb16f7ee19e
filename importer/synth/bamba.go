package synth

func init() {
	registerFamily(family{
		name:       "bamba",
		container:  "safetensors",
		recognise:  modelType("bamba"),
		parameters: bambaParameters,
		complete:   completeBamba,
		base: `{"architectures": ["BambaForCausalLM"], "model_type": "bamba", "attention_bias": false, "attn_layer_indices": null,
			"bos_token_id": 128000, "eos_token_id": 128001, "hidden_act": "silu", "mamba_chunk_size": 256, "mamba_conv_bias": true,
			"mamba_d_conv": 4, "mamba_d_state": 128, "mamba_n_groups": 1, "mamba_proj_bias": false, "max_position_embeddings": 4096,
			"mlp_bias": false, "pad_token_id": 0, "rms_norm_eps": 1e-05, "rope_parameters": null, "rope_scaling": null,
			"rope_theta": 10000.0, "tie_word_embeddings": false, "time_step_limit": null, "vocab_size": 128256}`,
		small: `{"bos_token_id": 1, "eos_token_id": 2, "hidden_size": 64, "intermediate_size": 96, "mamba_d_state": 16,
			"num_hidden_layers": 3, "vocab_size": 256}`,
		presets: []preset{
			{"bamba-9b", `{"attn_layer_indices": [9, 18, 27], "hidden_size": 4096, "intermediate_size": 14336, "mamba_d_head": 64,
				"mamba_expand": 2, "mamba_n_heads": 128, "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8}`},
		},
	})
}

// bambaKeys are Granite's too.
var bambaKeys = mixerKeys{"mamba_expand", "mamba_n_heads", "mamba_d_head", "mamba_n_groups", 1}

// completeBamba makes the layer in the middle one of attention.
func completeBamba(c *config) {
	hidden := c.size("hidden_size", 4096)
	c.completeMixer(hidden, bambaKeys)
	c.completeAttention(hidden, 4, 4)
	c.setAbsent("attn_layer_indices", []int{c.layers("num_hidden_layers", 32) / 2})
}

// bambaMixer reads the mixer of Bamba and Granite.
func (c *config) bambaMixer(hidden int) *mixer2 {
	m := &mixer2{
		hiddenSize: hidden,
		heads:      c.size("mamba_n_heads", 128),
		groups:     c.size("mamba_n_groups", 1),
		stateSize:  c.size("mamba_d_state", 256),
		convKernel: c.size("mamba_d_conv", 4),
		bias:       c.flag("mamba_proj_bias", false),
		convBias:   c.flag("mamba_conv_bias", true),
		hasNorm:    true,
	}
	m.outBias = m.bias
	m.headDim = c.sizeOrAuto("mamba_d_head", c.expanded("mamba_expand", hidden)/m.heads)
	m.check(c, "mamba_n_groups")
	c.checkMixer(hidden, m.innerSize(), bambaKeys)
	return m
}

// bambaParameters restates families.md §9.1.
func bambaParameters(c *config, s scope) {
	hidden, layers := c.size("hidden_size", 4096), c.layers("num_hidden_layers", 32)
	inner, mlpBias := c.size("intermediate_size", 14336), c.flag("mlp_bias", false)
	m, a := c.bambaMixer(hidden), c.attention(hidden, 32, 8)
	a.bias = c.flag("attention_bias", false)
	isAttention := c.indices("attn_layer_indices", layers)
	e := &ends{
		vocabulary: c.size("vocab_size", 128000), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", false),
		embedding: "model.embed_tokens.weight", head: "lm_head.weight", multiplier: 1, factor: 1,
	}
	gain := e.gain(2*layers, 1)
	e.begin(s)
	for i := range layers {
		layer := s.in("model.layers." + itoa(i))
		layer.norm("input_layernorm", hidden)
		if isAttention[i] {
			a.add(layer.in("self_attn"), gain)
		} else {
			m.add(layer.in("mamba"), gain)
		}
		layer.norm("pre_ff_layernorm", hidden)
		layer.in("feed_forward").gated(hidden, inner, gain, 1, mlpBias)
	}
	s.norm("model.final_layernorm", hidden)
	e.end(s)
}
