//go:build unix

package private

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCheck: whatever others may do with a folder or a file is too much, and the
// error says how to take it from them.
func TestCheck(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, remedy := range map[string]string{folder: "chmod 700 " + folder, file: "chmod 600 " + file} {
		for perm := os.FileMode(0); perm <= 0o777; perm++ {
			if err := os.Chmod(path, perm); err != nil {
				t.Fatal(err)
			}
			st, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			err = Check(path, st)
			if own := perm&0o077 == 0; own != (err == nil) || !own && !strings.HasSuffix(err.Error(), remedy) {
				t.Fatalf("%s, mode %#o: %v", path, perm, err)
			}
		}
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFolder: it is made with all on the way to it, whatever the umask, and one that
// is there stays as it is.
func TestFolder(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	folder := t.TempDir()
	inner := filepath.Join(folder, "a", "b")
	for range 2 {
		if err := Folder(inner); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{inner, filepath.Dir(inner)} {
			if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o700 {
				t.Errorf("%s has mode %v, %v", path, st.Mode(), err)
			}
		}
	}
	if err := os.Chmod(inner, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := Folder(inner); err == nil {
		t.Error("an open folder is private")
	}
	if st, err := os.Stat(inner); err != nil || st.Mode().Perm() != 0o750 {
		t.Errorf("its mode has become %v, %v", st.Mode(), err)
	}
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Folder(file); err == nil {
		t.Error("a file is a folder")
	}
}
