package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// requireFiles demands what a folder holds: names and contents, in order.
func requireFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, e.Name(), string(data))
	}
	if strings.Join(have, "|") != strings.Join(want, "|") {
		t.Errorf("the folder holds %q, want %q", have, want)
	}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	for _, s := range []string{"old", "", "new"} {
		if err := Write(path, 0o600, text(s)); err != nil {
			t.Fatal(err)
		}
		requireFiles(t, folder, "f", s)
	}
	if err := Remove(path); err != nil {
		t.Fatal(err)
	}
	requireFiles(t, folder)
	if err := Remove(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestFails: the old file stays and nothing else, wherever writing ends.
func TestFails(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	if err := Write(path, 0o600, text("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	for _, n := range []int{0, 1, 100, 1<<16 - 1, 1 << 16, 1<<16 + 1, 1 << 20} {
		err := Write(path, 0o600, func(w io.Writer) error {
			if _, err := w.Write(make([]byte, n)); err != nil {
				t.Error(err)
			}
			return full
		})
		if !errors.Is(err, full) {
			t.Errorf("after %d bytes: error %v", n, err)
		}
		requireFiles(t, folder, "f", "old")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = Write(path, 0o600, func(io.Writer) error { panic("writer") })
	}()
	requireFiles(t, folder, "f", "old")
}

// TestNames: errors are of the file that was asked for.
func TestNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "f")
	err := Write(path, 0o600, text("x"))
	if err == nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), prefix) {
		t.Errorf("error %v", err)
	}
	err = Place(filepath.Join(filepath.Dir(filepath.Dir(path)), "f"), 0o600, func(f *os.File) error { return f.Close() })
	if err == nil || strings.Contains(err.Error(), prefix) {
		t.Errorf("of a file that is closed too early: error %v", err)
	}
}
