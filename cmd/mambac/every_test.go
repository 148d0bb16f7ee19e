package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/runtime/report"
)

// TestEvery takes each registered family from checkpoints with odd sizes to
// programs: testdata/every/FAMILY holds their configs. Containers and element
// types take turns, so that each of them meets a program too.
func TestEvery(t *testing.T) {
	containers, turn := container.Names(), 0
	for _, family := range importer.Families() {
		configs, err := filepath.Glob(filepath.Join("testdata", "every", family, "*.json"))
		if err != nil || len(configs) == 0 {
			t.Errorf("no config in testdata/every/%s: %v", family, err)
		}
		for _, config := range configs {
			container := containers[turn%len(containers)]
			dtype := []string{"f32", "bf16", "f16"}[turn%3]
			turn++
			name := family + "/" + strings.TrimSuffix(filepath.Base(config), ".json")
			t.Run(name, func(t *testing.T) { becomesProgram(t, config, container, dtype) })
		}
	}
	if turn < len(containers) {
		t.Errorf("%d configs for %d containers: some are left out", turn, len(containers))
	}
}

// becomesProgram verifies a synthesised checkpoint and a program of it at
// every level, with the weights as stored and rounded. What is verified is called
// in other ways, too.
func becomesProgram(t *testing.T, config, container, dtype string) {
	folder := filepath.Join(t.TempDir(), "checkpoint")
	compiler(t, "synth", "--config", config, "--out", folder, "--dtype", dtype, "--container", container, "--shard-bytes", "9000", "-q")
	if dtype == "f32" {
		verified(t, folder, "bf16", 33)
	}
	a := verified(t, folder, "auto", checkTokens)
	if err := os.RemoveAll(folder); err != nil { // the program needs it no more
		t.Fatal(err)
	}
	a.run(t, "", "info", "--check")
	a.greedy(t, "", 40, "--ids", "1,0,1")
	a.speculates(t)
}

// verified does what verify does, and keeps the program.
func verified(t *testing.T, checkpoint, weights string, tokens int) artifact {
	t.Helper()
	f := verifyFlags{choice: *newChoice(), tokens: tokens, seed: checkSeed}
	f.cpu, f.weights = "all", weights
	m, err := openModel(checkpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	c, err := f.compile(m, codegen.Options{Package: "main", Doc: programDoc(m)}, "verify")
	if err != nil {
		t.Fatal(err)
	}
	l, err := f.ladder(c)
	if err != nil {
		t.Fatal(err)
	}
	a := artifact{path: filepath.Join(t.TempDir(), executableName("model"))}
	found, err := l.climb(t.Context(), a.path, noProgress{})
	if err != nil || !found.OK {
		t.Fatalf("%v\n%s", err, report.FormatRungs(found.Rungs))
	}
	return a
}

// speculates has a text read ahead wherever anything in it came before: right or
// wrong, the text is the same.
func (a artifact) speculates(t *testing.T) {
	t.Helper()
	ahead := func(how string) string {
		return a.run(t, "", "run", "--ids", "1,0,1,1,0,1", "-n", "150", "--ignore-eos", "--print", "ids", "--speculate", how)
	}
	if on, off := ahead("on"), ahead("off"); on != off {
		t.Errorf("with speculation\n%swithout\n%s", on, off)
	}
}
