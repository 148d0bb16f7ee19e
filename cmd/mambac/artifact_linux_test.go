package main

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// TestArtifactStatic: no interpreter, no libraries.
func TestArtifactStatic(t *testing.T) {
	checkELF(t, buildOnce(t, example).path, runtime.GOOS, runtime.GOARCH)
}

// TestArtifactEmptyRoot: in a root directory that holds nothing but the
// program, without /proc, it finds itself and runs.
func TestArtifactEmptyRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	a := buildOnce(t, bundled)
	want := a.greedy(t, "", 8, "--", "package main")
	root := filepath.Dir(a.path)
	if entries, err := os.ReadDir(root); err != nil || len(entries) != 1 {
		t.Fatalf("%s holds %d entries, want 1: %v", root, len(entries), err)
	}
	inside := artifact{path: "/" + filepath.Base(a.path)}
	cmd := inside.command("", "run", "-n", "8", "--print", "ids", "--ignore-eos", "--", "package main")
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Chroot: root}
	if got := succeed(t, cmd); got != want+"\n" {
		t.Errorf("continues %q, want %q", got, want)
	}
}
