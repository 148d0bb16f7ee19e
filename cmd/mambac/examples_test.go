package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// exampleFolders are programs that each are a module of their own: go vet ./...
// and go test ./... of this one pass them by.
func exampleFolders(t *testing.T) []string {
	t.Helper()
	mods, err := filepath.Glob(filepath.Join(root(t), "examples", "*", "go.mod"))
	if err != nil || len(mods) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for i, mod := range mods {
		mods[i] = filepath.Dir(mod)
	}
	return mods
}

// TestExamples generates, vets and tests every example where it lies: its
// generated package is not checked in.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles mambac and programs with a model inside")
	}
	for _, folder := range exampleFolders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			d := &downstream{folder, goEnv}
			if *update {
				d.require(t, module+"/examples/"+filepath.Base(folder), "../..")
			}
			watch(t, folder)
			requireFresh(t, d)
			d.run(t, "", "go", "generate", "./...")
			d.run(t, "", "go", "vet", "./...")
			d.run(t, "", staticcheck(t), "./...")
			d.run(t, "", "go", "test", "./...")
			d.run(t, "", "go", "build", "-o", t.TempDir(), ".")
		})
	}
}

// watch looks at the files of a folder: the go command repeats a test when a
// file changes that the test itself looked at, and knows nothing of those that
// commands have read.
func watch(t *testing.T, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
	}
}

// requireFresh tells of modules that mambac requires and the example does not
// know.
func requireFresh(t *testing.T, d *downstream) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", module+"/cmd/mambac")
	cmd.Dir, cmd.Env = d.folder, append(os.Environ(), d.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go.mod of %s is not of these versions; run go test ./cmd/mambac -run TestExamples -update: %v\n%s", d.folder, err, out)
	}
}
