package synth

func init() {
	registerFamily(family{
		name:       "mixtral",
		container:  "safetensors",
		recognise:  modelType("mixtral"),
		parameters: func(c *config, s scope) { transformer(c, s, mixtralDefaults) },
		complete:   completeTransformer,
		base: `{"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "bos_token_id": 1, "eos_token_id": 2,
			"hidden_act": "silu", "max_position_embeddings": 32768, "num_experts_per_tok": 2, "num_local_experts": 8,
			"rms_norm_eps": 1e-05, "rope_parameters": null, "rope_scaling": null, "rope_theta": 1000000.0, "sliding_window": null,
			"tie_word_embeddings": false, "vocab_size": 32000}`,
		small: `{"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_local_experts": 4, "vocab_size": 256}`,
		presets: []preset{
			// No published size: the proportions of Mixtral-8x7B at a fraction.
			{"mixtral-small-like", `{"hidden_size": 512, "intermediate_size": 1792, "num_attention_heads": 8,
				"num_hidden_layers": 8, "num_key_value_heads": 2}`},
		},
	})
}

var mixtralDefaults = transformerDefaults{intermediateSize: 14336, kvHeads: 8, experts: 8}
