package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/ir/storage"
)

// stateful are models with caches beside states of fixed size, or with caches in
// a window.
var stateful = map[string][]string{
	"jamba":            {"num_hidden_layers=3", "hidden_size=40", "mamba_d_state=5", "num_experts=3"},
	"granitemoehybrid": {"hidden_size=40", "mamba_d_state=5", "num_local_experts=3", `layer_types=["attention", "mamba", "attention"]`},
	"mistral":          {"hidden_size=40", "num_attention_heads=5", "sliding_window=20"},
}

// TestSessions generates packages of hybrids with keys and values in every format,
// and has testdata/states save, restore and fork what they have read.
func TestSessions(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles programs with a model inside")
	}
	watch(t, filepath.Join(root(t), "runtime", "modeltest"))
	own, err := os.ReadFile(filepath.Join("testdata", "states", "states_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	d := &downstream{t.TempDir(), goEnv}
	d.require(t, "example.com/states", root(t))
	for family, settings := range stateful {
		checkpoint := filepath.Join(t.TempDir(), family)
		flags := []string{"synth", "--family", family, "--out", checkpoint, "-q"}
		for _, s := range settings {
			flags = append(flags, "--set", s)
		}
		compiler(t, flags...)
		for _, cache := range storage.Caches {
			name := family + "_" + cache
			folder := filepath.Join(d.folder, name)
			compiler(t, "generate", checkpoint, "--package", "model", "--dir", folder, "--cache", cache, "--embed", "-q")
			if err := os.WriteFile(filepath.Join(folder, "states_test.go"), bytes.ReplaceAll(own, []byte("states/model"), []byte("states/"+name)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.run(t, "", "go", "test", "-run", "^Test(States|Storm)$", "./...")
}
