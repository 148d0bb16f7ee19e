package synth

func init() {
	registerFamily(family{
		name:       "mistral",
		container:  "safetensors",
		recognise:  modelType("mistral"),
		parameters: func(c *config, s scope) { transformer(c, s, mistralDefaults) },
		complete:   completeTransformer,
		base: `{"architectures": ["MistralForCausalLM"], "model_type": "mistral", "bos_token_id": 1, "eos_token_id": 2,
			"hidden_act": "silu", "max_position_embeddings": 32768, "rms_norm_eps": 1e-05, "rope_parameters": null,
			"rope_scaling": null, "rope_theta": 10000.0, "sliding_window": 4096, "tie_word_embeddings": false, "vocab_size": 32000}`,
		small: `{"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "sliding_window": 16, "vocab_size": 256}`,
		presets: []preset{
			// No published size: a window that texts of a test outgrow.
			{"mistral-small-like", `{"hidden_size": 768, "intermediate_size": 2688, "num_attention_heads": 12,
				"num_hidden_layers": 12, "num_key_value_heads": 3, "sliding_window": 1024}`},
		},
	})
}

var mistralDefaults = transformerDefaults{intermediateSize: 14336, kvHeads: 8}
