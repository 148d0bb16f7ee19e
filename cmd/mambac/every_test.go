package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer"
	"github.com/mambac/mambac/importer/container"
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
// every level, with the weights as stored and rounded.
func becomesProgram(t *testing.T, config, container, dtype string) {
	folder := filepath.Join(t.TempDir(), "checkpoint")
	compiler(t, "synth", "--config", config, "--out", folder, "--dtype", dtype, "--container", container, "--shard-bytes", "9000", "-q")
	compiler(t, "verify", folder, "-q")
	if dtype == "f32" {
		compiler(t, "verify", folder, "-q", "--weights", "bf16", "--tokens", "33")
	}
	a := build(t, folder)
	if err := os.RemoveAll(folder); err != nil { // the program needs it no more
		t.Fatal(err)
	}
	a.run(t, "", "info", "--check")
	a.greedy(t, "", 40, "--ids", "1,0,1")
	a.speculates(t)
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
