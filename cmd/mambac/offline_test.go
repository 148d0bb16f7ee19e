package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestOffline builds with nothing but the Go toolchain: empty caches, no home,
// no network, and nothing left in the folder for temporary files.
func TestOffline(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library")
	}
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	for _, name := range []string{"tmp", "modules", "cache"} {
		if err := os.Mkdir(at(name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	a := artifact{path: at(executableName("model"))}
	cmd := exec.Command("mambac", "build", example, "-q", "-o", a.path)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + at("tmp"), "TMP=" + at("tmp"), "TEMP=" + at("tmp"),
		"SystemRoot=" + os.Getenv("SystemRoot"), // Windows starts nothing without it
		"GOCACHE=" + at("cache"), "GOMODCACHE=" + at("modules"), "GOPROXY=off", "GOFLAGS=",
	}
	succeed(t, cmd)
	a.run(t, "", "info", "--check")
	for _, name := range []string{"tmp", "modules"} {
		if entries, err := os.ReadDir(at(name)); err != nil || len(entries) > 0 {
			t.Errorf("%s holds %v, want nothing: %v", name, entries, err)
		}
	}
}
