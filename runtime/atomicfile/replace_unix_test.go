//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

// TestModeStays: a file that was closed to others is not opened to them by writing it
// anew, nor one that was open before against the wish of its writer.
func TestModeStays(t *testing.T) {
	for _, c := range []struct{ before, mode, want os.FileMode }{
		{0o600, 0o666, 0o600}, {0o400, 0o666, 0o400}, {0o644, 0o600, 0o600}, {0o640, 0o644, 0o640},
	} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.before); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, c.mode, text("new")); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != c.want || st.Size() != 3 {
			t.Errorf("a file of mode %o, written with %o, is %v, want %o (%v)", c.before, c.mode, st.Mode(), c.want, err)
		}
	}
}

// TestLinksStay: what a link leads to is replaced, and not the link: that may be
// /dev/stdout.
func TestLinksStay(t *testing.T) {
	folder, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	path := filepath.Join(folder, "f")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, 0o600, text("new")); err != nil {
		t.Fatal(err)
	}
	requireFiles(t, folder, "f", "new")
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link has become %v (%v)", st.Mode(), err)
	}
}
