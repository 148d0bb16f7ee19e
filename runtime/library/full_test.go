package library

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/disktest"
)

// TestDiskFull: what a full disk has no room for is an error of the state's file, and
// what was there stays, and nothing else.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, d *disktest.Disk) {
		l, err := Open(filepath.Join(d.Folder, "states"))
		if err != nil {
			t.Fatal(err)
		}
		put(t, l, "a", 1)
		old := content(t, l, "a")
		for _, free := range []int{0, 100_000, 150_000} { // of 200,000 that it takes
			d.Fill(free)
			for _, name := range []string{"a", "b"} {
				if err := l.Put(name, Entry{}, writer(header(2, 50_000))); !disktest.Full(err) || !strings.Contains(err.Error(), l.Path(name)) {
					t.Errorf("%d bytes are left: %s: error %v", free, name, err)
				}
			}
			d.RequireFiles("states/a.state")
		}
		d.Fill(0)
		if err := l.Fork("a", "b"); !disktest.Full(err) || !strings.Contains(err.Error(), l.Path("b")) {
			t.Errorf("fork: error %v", err)
		}
		if list, err := l.List(); err != nil || len(list) != 1 || !bytes.Equal(content(t, l, "a"), old) || l.Verify("a") != nil {
			t.Errorf("there is %+v, %v", list, err)
		}
		d.RequireFiles("states/a.state")
		d.Empty()
		put(t, l, "b", 2)
		d.RequireFiles("states/a.state", "states/b.state")
	})
}
