//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestClean: what killed writers have left goes, and what is being written, or is
// of somebody else, stays.
func TestClean(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	for _, name := range []string{prefix + "0123456789abcdef" + suffix, "user.tmp", prefix + "notes"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(path, 0o600, func(w io.Writer) error {
		for range 3 {
			Clean(folder)
			if err := Write(filepath.Join(folder, "other"), 0o600, text("o")); err != nil {
				return err
			}
		}
		return text("whole")(w)
	}); err != nil {
		t.Fatal(err)
	}
	requireFiles(t, folder, prefix+"notes", "half", "f", "whole", "other", "o", "user.tmp", "half")
}

// TestCleanFollowsNothing: links and pipes that are called like leftovers are left.
func TestCleanFollowsNothing(t *testing.T) {
	folder, outside := t.TempDir(), filepath.Join(t.TempDir(), "mine")
	if err := os.WriteFile(outside, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	link, pipe := filepath.Join(folder, prefix+"1"+suffix), filepath.Join(folder, prefix+"2"+suffix)
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	Clean(folder)
	removeAbandoned(link)
	for _, path := range []string{outside, link, pipe} {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
}
