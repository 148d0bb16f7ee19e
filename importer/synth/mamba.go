package synth

func init() {
	registerFamily(family{
		name:       "mamba",
		container:  "safetensors",
		recognise:  modelType("mamba"),
		parameters: mambaParameters,
		complete:   completeMamba,
		base: `{"architectures": ["MambaForCausalLM"], "model_type": "mamba", "bos_token_id": 0, "conv_kernel": 4,
			"eos_token_id": 0, "expand": 2, "hidden_act": "silu", "layer_norm_epsilon": 1e-05, "pad_token_id": 0,
			"state_size": 16, "tie_word_embeddings": true, "use_bias": false, "use_conv_bias": true, "vocab_size": 50280}`,
		small: `{"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 256}`,
		presets: []preset{
			{"mamba-130m", `{"hidden_size": 768, "num_hidden_layers": 24}`},
			{"mamba-370m", `{"hidden_size": 1024, "num_hidden_layers": 48}`},
			{"mamba-790m", `{"hidden_size": 1536, "num_hidden_layers": 48}`},
			{"mamba-1.4b", `{"hidden_size": 2048, "num_hidden_layers": 48}`},
			{"mamba-2.8b", `{"hidden_size": 2560, "num_hidden_layers": 64}`},
		},
	})
}

// completeMamba derives the inner size and the rank of dt.
func completeMamba(c *config) {
	hidden := c.size("hidden_size", 768)
	c.setAbsent("intermediate_size", c.expanded("expand", hidden))
	c.setAbsent("time_step_rank", roundUp(hidden, 16)/16)
}

// mambaParameters restates families.md §6: the layout of Hugging Face, of Mamba
// and Falcon-Mamba.
func mambaParameters(c *config, s scope) {
	hidden, layers := c.size("hidden_size", 768), c.layers("num_hidden_layers", 32)
	m := &mixer1{
		hiddenSize: hidden,
		innerSize:  c.size("intermediate_size", 1),
		stateSize:  c.size("state_size", 16),
		convKernel: c.size("conv_kernel", 4),
		dtRank:     c.sizeOrAuto("time_step_rank", roundUp(hidden, 16)/16),
		bias:       c.flag("use_bias", false),
		convBias:   c.flag("use_conv_bias", true),
	}
	if !c.has("intermediate_size") {
		m.innerSize = c.expanded("expand", hidden)
	}
	e := &ends{
		vocabulary: c.size("vocab_size", 50280), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", true),
		embedding: "backbone.embeddings.weight", head: "lm_head.weight", multiplier: 1, factor: 1,
	}
	e.mixers(s, layers, m.add)
}

// mixers appends a model whose layers are a norm and a mixer each.
func (e *ends) mixers(s scope, layers int, mixer func(s scope, gain float64)) {
	e.begin(s)
	for i := range layers {
		layer := s.in("backbone.layers." + itoa(i))
		layer.norm("norm", e.hiddenSize)
		mixer(layer.in("mixer"), e.gain(layers, 1))
	}
	s.norm("backbone.norm_f", e.hiddenSize)
	e.end(s)
}
