package chat

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/disktest"
)

// TestDiskFull: a conversation that cannot be saved goes on, and what was saved before
// stays.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, d *disktest.Disk) {
		path := filepath.Join(d.Folder, "saved")
		k := newTest(t, turns, "--stop", "A")
		k.people = true
		say := func(lines ...string) {
			t.Helper()
			k.in = &fixed{lines: lines}
			if err := k.run(); err != nil {
				t.Fatal(err)
			}
		}
		read := func() string {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		say("hi", "/save "+path)
		old := read()
		d.Fill(0)
		say("you", "/save "+path, "and?")
		if !strings.Contains(k.noted(), "error: write "+path+": no space left on device\n") || k.written() != strings.Repeat(";<=>?@\n", 3) {
			t.Errorf("%q, %q", k.noted(), k.written())
		}
		if read() != old {
			t.Error("the old file has changed")
		}
		d.RequireFiles("saved")
		d.Empty()
		say("/save " + path)
		if read() == old {
			t.Error("it is not saved")
		}
		d.RequireFiles("saved")
	})
}
