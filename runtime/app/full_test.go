package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/runtime/disktest"
)

// TestDiskFull: a run whose state has no room has printed its text, fails with the
// name of the file, and leaves the old one.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, d *disktest.Disk) {
		file := filepath.Join(d.Folder, "f.state")
		requireOK(t, call{}.run(t, "run", "ab", "-n", "2", "--save-state", file))
		old, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d.Fill(0)
		r := call{}.run(t, "run", "ab", "-n", "4", "--save-state", file)
		requireError(t, r, exitFailure, file, "no space left on device")
		if text, err := os.ReadFile(file); err != nil || string(text) != string(old) || r.out != "cdef" {
			t.Errorf("it prints %q; the old file has changed: %v, %v", r.out, string(text) != string(old), err)
		}
		d.RequireFiles("f.state")
	})
}
