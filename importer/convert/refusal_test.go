package convert_test

import (
	"strings"
	"testing"

	"github.com/mambac/mambac/importer/convert"
	"github.com/mambac/mambac/ir/tensor"
)

// TestRefusedSettings: what a target has no place for is said by the name that
// the config has for it, before the tokenizer is asked for.
func TestRefusedSettings(t *testing.T) {
	const (
		mamba   = `{"model_type": "mamba", "hidden_size": 32, "num_hidden_layers": 1, "vocab_size": 40}`
		hf      = `{"model_type": "mamba2", "hidden_size": 32, "num_hidden_layers": 1, "vocab_size": 40, "num_heads": 4, "head_dim": 16, "n_groups": 1}`
		ssm     = `{"d_model": 32, "n_layer": 1, "vocab_size": 40, "ssm_cfg": {"layer": "Mamba2", "d_state": 5, "headdim": 16}}`
		llama   = `{"model_type": "llama", "hidden_size": 32, "num_hidden_layers": 1, "vocab_size": 40, "intermediate_size": 9, "num_attention_heads": 4}`
		mistral = `{"model_type": "mistral", "hidden_size": 32, "num_hidden_layers": 1, "vocab_size": 40, "intermediate_size": 9, "num_attention_heads": 4,
			"num_key_value_heads": 2}`
	)
	for _, c := range []struct{ config, key, target, want string }{
		{mamba, `"hidden_act": "relu"`, "gguf", "gguf has silu behind the convolution, this model has relu (hidden_act)"},
		{mamba, `"hidden_act": "relu"`, "ssm", "ssm has silu behind the convolution, this model has relu (hidden_act)"},
		{hf, `"use_bias": true`, "gguf", "backbone.layers.0.mixer.in_proj.bias: gguf has no place for a bias of a projection"},
		{hf, `"hidden_act": "relu"`, "gguf", "gguf has silu behind the convolution, this model has relu (hidden_act)"},
		{hf, `"hidden_act": "relu"`, "ssm", "ssm has silu behind the convolution, this model has relu (hidden_act)"},
		{hf, `"time_step_limit": [0.1, 2]`, "gguf", "gguf has no place for bounds of the time step (time_step_limit)"},
		{ssm, `"dt_limit": [0, 2]`, "gguf", "gguf has no place for bounds of the time step (ssm_cfg.dt_limit)"},
		{hf, `"n_groups": 2`, "gguf", "llama.cpp norms each of 2 groups by itself, this model norms all of them together; gguf can hold n_groups 1 only"},
		{hf, `"n_groups": 2`, "ssm", "state-spaces norms each of 2 groups by itself, this model norms all of them together; ssm can hold n_groups 1 only"},
		{hf, `"layer_norm_epsilon": 1e-6`, "ssm", "ssm has 1e-05 in its norms and no key for another value, this model has 1e-06"},
		{ssm, `"ngroups": 2`, "hf", "transformers norms all of 2 groups together, this model each by itself; hf can hold ssm_cfg.ngroups 1 only"},
		{ssm, `"d_ssm": 32`, "gguf", "gguf has no place for an MLP beside the scan (ssm_cfg.d_ssm)"},
		{ssm, `"d_ssm": 32`, "hf", "hf has no place for an MLP beside the scan (ssm_cfg.d_ssm)"},
		{ssm, `"D_has_hdim": true`, "gguf", "gguf has a D for each head, this model one for each element (ssm_cfg.D_has_hdim)"},
		{ssm, `"rmsnorm": false`, "hf", "hf wants a norm behind the scan, this model has none (ssm_cfg.rmsnorm)"},
		{ssm, `"norm_before_gate": true`, "gguf", "gguf has the gate before the norm, this model behind it (ssm_cfg.norm_before_gate)"},
		{ssm, `"d_intermediate": 9`, "hf", "hf cannot hold models of the type mamba2 with MLPs (d_intermediate); known are gguf llama, gguf mamba1, gguf mamba2, hf mamba1, hf mamba2, ssm mamba1, ssm mamba2"},
		{llama, `"hidden_act": "gelu"`, "gguf", "gguf has silu in the MLPs of llama, this model has gelu (hidden_act)"},
		{mistral, `"max_position_embeddings": 512, "sliding_window": 256`, "gguf",
			"gguf has no sliding window in llama; up to 256 tokens it makes no difference, for which set max_position_embeddings of config.json, now 512, to that"},
	} {
		config := with(c.config, c.key)
		s := made(t, config, tensor.F32, nil)
		_, err := convert.New(s, c.target, "")
		if want := s.Checkpoint.Path + ": " + c.want; err == nil || err.Error() != want {
			t.Errorf("%s with %s: have %v\nwant %s", c.target, c.key, err, want)
		}
	}
}

// with puts a key into the last object of a config, in place of one of that
// name.
func with(config, key string) string {
	name, _, _ := strings.Cut(key, ":")
	if i := strings.Index(config, name+":"); i >= 0 {
		end := strings.IndexAny(config[i:], ",}")
		return config[:i] + key + config[i+end:]
	}
	end := strings.Index(config, "}")
	if name == `"d_intermediate"` { // not of the mixer
		end = len(config) - 1
	}
	return config[:end] + ", " + key + config[end:]
}

// TestWindow: one that no text is longer than is none.
func TestWindow(t *testing.T) {
	const config = `{"model_type": "mistral", "hidden_size": 32, "num_hidden_layers": 1, "vocab_size": 300, "intermediate_size": 9, "num_attention_heads": 4,
		"num_key_value_heads": 2, "max_position_embeddings": 256, "sliding_window": 256}`
	holdKeys(t, readGGUF(t, modelOf(t, config), ""), map[string]any{"llama.context_length": uint32(256)})
}
