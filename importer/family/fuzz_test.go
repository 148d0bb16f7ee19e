package family

import (
	"strings"
	"testing"
	"unicode"

	"github.com/mambac/mambac/ir"
)

// FuzzConfig: whatever a config.json says, and whatever else is stored, the
// import ends soon with a module that verifies or with one printable line.
func FuzzConfig(f *testing.F) {
	f.Add(mambaJSON, "lm_head.weight", 11, 6)
	f.Add(stateSpacesJSON, "backbone.layers.7.norm.weight", 6, 0)
	f.Add(`{"model_type": "mamba"}`, "backbone.layers.0.mixer.A_log", 10, -3)
	f.Add(`{"d_model": 6, "n_layer": 1073741824, "ssm_cfg": {"expand": Infinity}}`, "backbone.layers.1073741823.x\x1b", 1, 1)
	f.Add(`{"model_type": "mamba", "hidden_size": 6, "use_bias": true, "time_step_rank": "auto", "tie_word_embeddings": false}`, "", 1<<40, 1<<40)
	f.Fuzz(func(t *testing.T, config, name string, rows, columns int) {
		fakes := mambaFake()
		if strings.Contains(config, "d_model") {
			fakes = stateSpacesFake()
		}
		fakes[name] = Tensor{Name: name, DType: fakes["backbone.norm_f.weight"].DType, Shape: []int{rows, columns}}
		r, err := imported(config, fakes)
		if err == nil {
			if err := ir.Verify(r.Module); err != nil {
				t.Fatal(err)
			}
			return
		}
		if s := err.Error(); len(s) > 1000 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("error is no short printable line: %q", s)
		}
	})
}
