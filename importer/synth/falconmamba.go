package synth

func init() {
	registerFamily(family{
		name:       "falcon_mamba",
		container:  "safetensors",
		recognise:  modelType("falcon_mamba"),
		parameters: mambaParameters, // its norms of dt, B and C have no weights
		complete:   completeMamba,
		base: `{"architectures": ["FalconMambaForCausalLM"], "model_type": "falcon_mamba", "bos_token_id": 0, "conv_kernel": 4,
			"eos_token_id": 11, "expand": 2, "hidden_act": "silu", "layer_norm_epsilon": 1e-05, "mixer_rms_eps": 1e-06,
			"pad_token_id": 0, "state_size": 16, "tie_word_embeddings": false, "use_bias": false, "use_conv_bias": true,
			"vocab_size": 65024}`,
		small: `{"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 256}`,
		presets: []preset{
			// The published config says 16 in expand, which intermediate_size
			// overrides: a trap worth keeping.
			{"falcon-mamba-7b", `{"expand": 16, "hidden_size": 4096, "intermediate_size": 8192, "num_hidden_layers": 64, "time_step_rank": 256}`},
		},
	})
}
