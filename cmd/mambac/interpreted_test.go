package main

import (
	"os"
	"path/filepath"
	"testing"

	rungs "github.com/mambac/mambac/codegen/ladder"
	"github.com/mambac/mambac/ir/pass"
)

// interpretEnv asks for the texts too, which take minutes.
const interpretEnv = "MAMBAC_INTERPRET_TEXTS"

// TestInterpreted runs every golden with its greedy tokens at the level that
// few machines have, each instruction of it in the interpreter. Logits must be
// within the tolerance of the evaluator and have the bits of the assembly that
// this machine runs, whose greedy tokens are held against the references
// elsewhere.
func TestInterpreted(t *testing.T) {
	var cases []rungs.Case
	for _, folder := range goldens(t) {
		want, err := readReference(filepath.Join(folder, "golden.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, interpretedCase(t, folder, append(want.ids, want.greedy...)))
	}
	rungs.RequireSameInterpreted(t, rungs.Interpretation{Levels: []string{"v4"}, Ways: []string{"prefill", "decode"}}, cases...)
}

// TestInterpretedTexts is TestInterpreted for the bundled model: all of its
// reference texts.
func TestInterpretedTexts(t *testing.T) {
	if os.Getenv(interpretEnv) == "" {
		t.Skipf("takes minutes; make emulated, or %s=1", interpretEnv)
	}
	var cases []rungs.Case
	for _, g := range readTrained(t, bundled).Generations {
		cases = append(cases, interpretedCase(t, bundled, append(g.PromptIDs, g.GreedyIDs...)))
	}
	rungs.RequireSameInterpreted(t, rungs.Interpretation{Levels: []string{"v4"}, Ways: []string{"prefill"}}, cases...)
}

func interpretedCase(t *testing.T, checkpoint string, ids []int) rungs.Case {
	t.Helper()
	m, err := openModel(checkpoint, goldenChoices(checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	return rungs.Case{
		Name: filepath.Base(checkpoint), Module: m.Module, IDs: ids,
		Passes: pass.Options{Storage: "auto"}, Chunk: 16,
	}
}
