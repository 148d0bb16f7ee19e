package family

import (
	"fmt"
	"testing"
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
		{"mamba2", mamba2JSON, ""},
		{"mamba2 biases", mamba2JSON, `"use_bias": true, "use_conv_bias": false, "layer_norm_epsilon": 0.01`},
		{"mamba2 tied", mamba2JSON, `"tie_word_embeddings": true, "norm_before_gate": true, "rms_norm": false`},
		{"mamba2 limits", mamba2JSON, `"time_step_limit": [0.2, 0.5]`},
		{"mamba2 activation", mamba2JSON, `"hidden_act": "gelu_pytorch_tanh"`},
		{"bamba", bambaJSON, ""},
		{"bamba biases", bambaJSON, `"mamba_proj_bias": true, "mamba_conv_bias": false, "attention_bias": true, "mlp_bias": true, "rms_norm_eps": 0.02`},
		{"bamba rope", bambaJSON, `"rope_theta": 30.0, "partial_rotary_factor": 1.0, "hidden_act": "gelu", "time_step_limit": [0.3, 100]`},
		{"granite", graniteJSON, ""},
		{"granite rope", graniteJSON, `"position_embedding_type": "rope", "rope_theta": 40.0`},
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
		{"nemotron_h", nemotronHJSON, ""},
		{"nemotron_h groups", nemotronHJSON, `"n_group": 3, "topk_group": 2, "num_experts_per_tok": 3, "routed_scaling_factor": 2.5`},
		{"nemotron_h latent", nemotronHJSON, `"moe_latent_size": 5, "norm_topk_prob": false, "n_group": 2, "topk_group": 1`},
		{"nemotron_h biases", nemotronHJSON, `"use_bias": true, "mlp_bias": true, "use_conv_bias": false, "time_step_min": 0.4, "mlp_hidden_act": "silu"`},
		{"zamba2", zamba2JSON, `"tie_word_embeddings": true`},
		{"zamba2 adapters", zamba2JSON, `"use_shared_attention_adapter": true, "use_mem_rope": true, "rope_theta": 50.0, "tie_word_embeddings": true`},
		{"zamba2 biases", zamba2JSON, `"add_bias_linear": true, "hidden_act": "silu", "time_step_min": 0.3, "tie_word_embeddings": false`},
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
