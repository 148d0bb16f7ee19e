package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/runtime/payload"
)

// TestChosen: cards and reports name what no config says, and nothing of models
// whose configs say everything.
func TestChosen(t *testing.T) {
	golden := filepath.Join("..", "..", "importer", "testdata")
	for _, c := range []struct {
		checkpoint string
		options    importer.Options
		want       map[string]string
	}{
		{"golden-evaluator/mamba3-mimo", importer.Options{"mimo-rotary": "interleaved"}, map[string]string{"mamba3-a": "heavy-tail", "mimo-rotary": "interleaved"}},
		{"golden-evaluator/mamba3-siso", importer.Options{"mamba3-a": "softplus"}, map[string]string{"mamba3-a": "softplus"}},
		{"golden/mamba-ssm-layout", nil, nil},
	} {
		m, err := openModel(filepath.Join(golden, filepath.FromSlash(c.checkpoint)), c.options)
		if err != nil {
			t.Fatal(err)
		}
		defer m.close()
		if have := m.chosen(); fmt.Sprint(have) != fmt.Sprint(c.want) {
			t.Errorf("%s: chosen is %v, want %v", c.checkpoint, have, c.want)
		}
		card := m.card()
		if len(card) != len(m.Facts)+len(c.want) {
			t.Errorf("%s: card is %v", c.checkpoint, card)
		}
		for _, f := range card[len(m.Facts):] {
			if want := (payload.Fact{Name: f.Name, Value: c.want[f.Name]}); f != want {
				t.Errorf("%s: card says %v, want %v", c.checkpoint, f, want)
			}
		}
	}
}

// TestArguments: the headers of generated files name the flags by which a model
// was imported.
func TestArguments(t *testing.T) {
	cmd := newGenerate(&console{})
	if err := cmd.ParseFlags([]string{"--mimo-rotary", "interleaved", "--package", "p"}); err != nil {
		t.Fatal(err)
	}
	if have, want := arguments(cmd), " --mimo-rotary interleaved --package p"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
}
