// Package disktest gives a test a small disk of its own, which it can fill; only tests
// import it, and it sees nothing of ours.
package disktest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Disk is a file system that nobody else sees.
type Disk struct {
	Folder string // all of it
	t      *testing.T
}

// filler is the file that makes a disk full.
const filler = "filler"

// Fill leaves no room but for so many bytes, up to a page.
func (d *Disk) Fill(free int) {
	d.t.Helper()
	path := filepath.Join(d.Folder, filler)
	f, err := os.Create(path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	size := int64(0)
	for block := make([]byte, os.Getpagesize()); err == nil; {
		var n int
		n, err = f.Write(block)
		size += int64(n)
	}
	if !Full(err) {
		d.t.Fatalf("behind %d bytes: %v", size, err)
	}
	if err := f.Truncate(max(0, size-int64(free))); err != nil {
		d.t.Fatal(err)
	}
}

// Empty makes room again.
func (d *Disk) Empty() {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.Folder, filler)); err != nil {
		d.t.Fatal(err)
	}
}

// RequireFiles demands what there is on the disk, in folders too: names from Folder
// on, sorted.
func (d *Disk) RequireFiles(want ...string) {
	d.t.Helper()
	have := []string{}
	err := filepath.WalkDir(d.Folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == filler {
			return err
		}
		name, err := filepath.Rel(d.Folder, path)
		have = append(have, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if !slices.Equal(have, want) {
		d.t.Errorf("the disk holds %q, want %q", have, want)
	}
}

// errNone is why there is no disk.
var errNone = errors.New("this system gives a test no disk of its own")
