package synth

func init() {
	registerFamily(family{
		name:       "mamba2",
		container:  "safetensors",
		recognise:  modelType("mamba2"),
		parameters: mamba2Parameters,
		complete:   completeMamba2,
		base: `{"architectures": ["Mamba2ForCausalLM"], "model_type": "mamba2", "bos_token_id": 0, "chunk_size": 256,
			"conv_kernel": 4, "eos_token_id": 0, "hidden_act": "silu", "layer_norm_epsilon": 1e-05, "n_groups": 1,
			"pad_token_id": 0, "state_size": 128, "tie_word_embeddings": true, "time_step_limit": null, "use_bias": false,
			"use_conv_bias": true, "vocab_size": 50288}`,
		small: `{"hidden_size": 64, "num_hidden_layers": 2, "state_size": 16, "vocab_size": 256}`,
		presets: []preset{
			// The models of state-spaces, as they are converted to the layout of
			// Hugging Face: their vocabulary is padded to a multiple of 16.
			{"mamba2-130m", `{"hidden_size": 768, "num_hidden_layers": 24}`},
			{"mamba2-370m", `{"hidden_size": 1024, "num_hidden_layers": 48}`},
			{"mamba2-780m", `{"hidden_size": 1536, "num_hidden_layers": 48}`},
			{"mamba2-1.3b", `{"hidden_size": 2048, "num_hidden_layers": 48}`},
			{"mamba2-2.7b", `{"hidden_size": 2560, "num_hidden_layers": 64}`},
			// The published params.json gives width, depth, groups, vocabulary and
			// the head of its own; the sizes of heads and states are the defaults
			// of the family, which make up the published number of parameters.
			{"codestral-mamba-7b", `{"bos_token_id": 1, "eos_token_id": 2, "hidden_size": 4096, "n_groups": 8,
				"num_hidden_layers": 64, "tie_word_embeddings": false, "vocab_size": 32768}`},
		},
	})
}

var mamba2Keys = mixerKeys{"expand", "num_heads", "head_dim", "n_groups", 8}

func completeMamba2(c *config) { c.completeMixer(c.size("hidden_size", 4096), mamba2Keys) }

// mamba2Parameters restates families.md §7.
func mamba2Parameters(c *config, s scope) {
	hidden, layers := c.size("hidden_size", 4096), c.layers("num_hidden_layers", 64)
	m := &mixer2{
		hiddenSize: hidden,
		heads:      c.size("num_heads", 128),
		headDim:    c.size("head_dim", 64),
		groups:     c.size("n_groups", 8),
		stateSize:  c.size("state_size", 128),
		convKernel: c.size("conv_kernel", 4),
		bias:       c.flag("use_bias", false),
		convBias:   c.flag("use_conv_bias", true),
		hasNorm:    true,
	}
	m.outBias = m.bias
	m.check(c, "n_groups")
	c.checkMixer(hidden, m.innerSize(), mamba2Keys)
	e := &ends{
		vocabulary: c.size("vocab_size", 32768), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", false),
		embedding: "backbone.embeddings.weight", head: "lm_head.weight", multiplier: 1, factor: 1,
	}
	e.mixers(s, layers, m.add)
}
