package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// runRoot runs the entry point of an image in its root, as the image's user.
func runRoot(t *testing.T, root, entry string) {
	if os.Geteuid() != 0 {
		t.Log("only root may change the root directory")
		return
	}
	for folder := root; folder != os.TempDir() && folder != "/"; folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	inside := artifact{path: entry}
	in := func(args ...string) string {
		cmd := inside.command("", args...)
		cmd.Dir = "/" + layerFolder
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return succeed(t, cmd)
	}
	args := []string{"run", "--ids", "5,3,9", "-n", "8", "--print", "ids", "--ignore-eos"}
	if got, want := in(args...), build(t, example).run(t, "", args...); got != want {
		t.Errorf("continues %q, want %q", got, want)
	}
	if out := in("info", "--check"); !strings.Contains(out, "checked, unaltered") {
		t.Errorf("info --check prints %q", out)
	}
	in("info", "--report")
}
