package synth

import (
	"fmt"
	"slices"
	"strings"
)

// presets are the published sizes of Mamba-1.
var presets = map[string]struct{ hiddenSize, layers int }{
	"mamba-130m": {768, 24},
	"mamba-370m": {1024, 48},
	"mamba-790m": {1536, 48},
	"mamba-1.4b": {2048, 48},
	"mamba-2.8b": {2560, 64},
}

// Presets lists the names of the presets, the smallest model first.
func Presets() []string {
	var names []string
	for name := range presets {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		p, q := presets[a], presets[b]
		return p.hiddenSize*p.layers - q.hiddenSize*q.layers
	})
	return names
}

// Preset is the config.json of a preset.
func Preset(name string) ([]byte, error) {
	p, ok := presets[name]
	if !ok {
		return nil, fmt.Errorf("unknown preset %q; known are %s", name, strings.Join(Presets(), ", "))
	}
	return fmt.Appendf(nil, `{
  "architectures": ["MambaForCausalLM"],
  "model_type": "mamba",
  "bos_token_id": 0,
  "conv_kernel": 4,
  "eos_token_id": 0,
  "expand": 2,
  "hidden_act": "silu",
  "hidden_size": %d,
  "intermediate_size": %d,
  "layer_norm_epsilon": 1e-05,
  "num_hidden_layers": %d,
  "pad_token_id": 0,
  "state_size": 16,
  "tie_word_embeddings": true,
  "time_step_rank": %d,
  "use_bias": false,
  "use_conv_bias": true,
  "vocab_size": 50280
}
`, p.hiddenSize, 2*p.hiddenSize, p.layers, p.hiddenSize/16), nil
}
