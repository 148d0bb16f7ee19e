package state

import (
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/runtime/disktest"
)

// TestDiskFull: commands that write a state tell which file has no room, and leave the
// old one.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, d *disktest.Disk) {
		p := newProgram(t)
		file, folder := filepath.Join(d.Folder, "s.state"), filepath.Join(d.Folder, "lib")
		p.ok(t, "save", "abc", "-o", file)
		p.ok(t, "lib", "add", "a", "--prompt", "abc", "--library", folder)
		entry := filepath.Join(folder, "a.state")
		olds := []string{data(t, file), data(t, entry)}
		d.Fill(0)
		const full = "no space left on device"
		p.fails(t, []string{"save", "abcd", "-o", file}, full, file)
		p.fails(t, []string{"save", "abcd", "-o", filepath.Join(d.Folder, "new")}, full, filepath.Join(d.Folder, "new"))
		p.fails(t, []string{"lib", "add", "a", "--replace", "--prompt", "abcd", "--library", folder}, full, entry)
		p.fails(t, []string{"lib", "add", "b", "--from", "a", "--prompt", "d", "--library", folder}, full, filepath.Join(folder, "b.state"))
		p.fails(t, []string{"lib", "fork", "a", "b", "--library", folder}, full, filepath.Join(folder, "b.state"))
		d.RequireFiles("lib/a.state", "s.state")
		if data(t, file) != olds[0] || data(t, entry) != olds[1] {
			t.Error("an old file has changed")
		}
		d.Empty()
		p.ok(t, "save", "abcd", "-o", file)
		p.ok(t, "lib", "fork", "a", "b", "--library", folder)
		d.RequireFiles("lib/a.state", "lib/b.state", "s.state")
	})
}
