package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// sharing runs tests that share programs, and removes those.
type sharing struct{ *testing.M }

// Run implements testscript.TestingM.
func (s sharing) Run() int {
	defer func() {
		if programs.folder != "" {
			os.RemoveAll(programs.folder)
		}
	}()
	return s.M.Run()
}

// programs are those that were built once, by their checkpoints and flags.
var programs struct {
	sync.Mutex
	folder string
	built  map[string]artifact
}

// buildOnce is build for tests that only call the program: the first of them builds
// it, and others have the same.
func buildOnce(t *testing.T, checkpoint string, flags ...string) artifact {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	key := strings.Join(append([]string{checkpoint}, flags...), "\n")
	a, ok := programs.built[key]
	if ok {
		return a
	}
	if programs.folder == "" {
		folder, err := os.MkdirTemp("", "mambac-shared-")
		if err != nil {
			t.Fatal(err)
		}
		programs.folder, programs.built = folder, map[string]artifact{}
	}
	folder, err := os.MkdirTemp(programs.folder, "")
	if err != nil {
		t.Fatal(err)
	}
	a = artifact{path: filepath.Join(folder, executableName("model"))}
	a.build(t, checkpoint, flags)
	programs.built[key] = a
	return a
}
