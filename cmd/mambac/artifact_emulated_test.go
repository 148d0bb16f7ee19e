package main

import (
	"bytes"
	"slices"
	"testing"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/leveltest"
	"github.com/mambac/mambac/codegen/target"
)

// TestArtifactEmulated builds the bundled model for another architecture, all
// levels in one program, and runs it in an emulator: every level continues the
// shortest prompt as the reference does, prefill has the bits of decode, and
// the assembly is within the tolerance of the twins.
func TestArtifactEmulated(t *testing.T) {
	const continued = 24 // ids; an emulator is slow
	neon, _ := target.Lookup("neon")
	goarch := neon.Level().GOARCH
	emulator := leveltest.Emulator(t, neon)
	a := build(t, bundled, "--target", "linux/"+goarch, "--cpu", "all")
	a.emulator = emulator
	prompts := readTrained(t, bundled).Generations
	shortest := slices.MinFunc(prompts, func(a, b generation) int { return len(a.PromptIDs) - len(b.PromptIDs) })
	ids := append(slices.Clone(shortest.PromptIDs), shortest.GreedyIDs[:continued]...)
	logits := map[string][]byte{}
	for _, level := range codegen.Levels(goarch) {
		got := a.greedy(t, level, continued, "--ids", joinInts(shortest.PromptIDs))
		if want := spaced(shortest.GreedyIDs[:continued]); got != want {
			t.Errorf("%s: %q continues %s, want %s", level, shortest.Prompt, got, want)
		}
		logits[level] = a.logits(t, level, 2, "prefill", ids)
		if !bytes.Equal(logits[level], a.logits(t, level, 1, "decode", ids)) {
			t.Errorf("%s: prefill differs from decode", level)
		}
		if e := relativeError(floats(t, logits[level]), floats(t, logits[target.Generic])); e > programTolerance {
			t.Errorf("%s: relative error %.2e against the twins", level, e)
		}
	}
}
