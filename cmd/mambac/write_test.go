package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var errBroken = errors.New("broken")

// names lists a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func requireNames(t *testing.T, folder string, want ...string) {
	t.Helper()
	if got := names(t, folder); !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", folder, got, want)
	}
}

func requireText(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, want %q, error %v", path, got, want, err)
	}
}

func TestReplaceFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	for _, text := range []string{"one", "two"} {
		if err := writeFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		requireText(t, path, text)
	}
	err := replaceFile(path, func(path string) error {
		if err := os.WriteFile(path, []byte("half"), 0o666); err != nil {
			t.Error(err)
		}
		return errBroken
	})
	if !errors.Is(err, errBroken) {
		t.Errorf("error %v, want %v", err, errBroken)
	}
	requireText(t, path, "two")
	requireNames(t, folder, "f")
	if err := replaceFile(folder, nil); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("error %v", err)
	}
}

// TestRenewFile wants an equal file left alone.
func TestRenewFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	var before os.FileInfo
	for i, text := range []string{"one", "one", "two"} {
		if err := renewFile(path, func(path string) error { return os.WriteFile(path, []byte(text), 0o666) }); err != nil {
			t.Fatal(err)
		}
		requireText(t, path, text)
		after, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if same := os.SameFile(before, after); i > 0 && same != (text == "one") {
			t.Errorf("file %d, %q: is the one before: %v", i, text, same)
		}
		before = after
	}
	if err := renewFile(folder, func(string) error { return nil }); err == nil {
		t.Error("a folder was replaced by a file")
	}
	requireNames(t, folder, "f")
}

func TestReplaceFolder(t *testing.T) {
	parent := t.TempDir()
	folder := filepath.Join(parent, "d")
	make := func(path string) error {
		if err := makeFolder(path); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(path, "f"), nil, 0o666)
	}
	if err := replaceFolder(folder, func(path string) error { return errors.Join(make(path), errBroken) }); !errors.Is(err, errBroken) {
		t.Errorf("error %v, want %v", err, errBroken)
	}
	requireNames(t, parent)
	if err := os.Mkdir(folder, 0o777); err != nil { // an empty folder is room
		t.Fatal(err)
	}
	if err := replaceFolder(folder, make); err != nil {
		t.Fatal(err)
	}
	requireNames(t, folder, "f")
	for _, target := range []string{folder, filepath.Join(folder, "f")} {
		if err := replaceFolder(target, make); err == nil || !strings.Contains(err.Error(), "folder") {
			t.Errorf("%s: error %v", target, err)
		}
	}
	requireNames(t, parent, "d")
}

func TestStreamedMindsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	path := filepath.Join(t.TempDir(), "f")
	written := int64(0)
	w, err := create(ctx, path, func(n int64) { written = n })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "begun"); err != nil || written != 5 {
		t.Errorf("%d bytes told, error %v", written, err)
	}
	cancel()
	if _, err := io.WriteString(w, " and ended"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	requireText(t, path, "begun")
}

func TestRequireSpace(t *testing.T) {
	target := filepath.Join(t.TempDir(), "f")
	if err := requireSpace(target, 1); err != nil {
		t.Error(err)
	}
	if _, ok := freeSpace(filepath.Dir(target)); !ok {
		t.Skip("this system does not tell")
	}
	if err := requireSpace(target, 1<<62); err == nil || !strings.HasPrefix(err.Error(), target+": needs 4294967296.00 GiB, have ") {
		t.Errorf("error %v", err)
	}
}

// TestStreamedFailsOnce: an error of a full disk is told where it is met, and
// not again at the end.
func TestStreamedFailsOnce(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "registry.txt")) // not for writing
	if err != nil {
		t.Fatal(err)
	}
	w := newStreamed(context.Background(), f, 0, nil)
	if _, err := w.Write(make([]byte, fileBlock)); err == nil {
		t.Error("wrote to a file that is open for reading")
	}
	if err := w.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
}

// lengths notes how long each write is.
type lengths []int

func (s *lengths) Write(p []byte) (int, error) {
	*s = append(*s, len(p))
	return len(p), nil
}

// TestBlocksEndAtHugePages: whatever the pieces that arrive, and wherever the
// file ended before.
func TestBlocksEndAtHugePages(t *testing.T) {
	const begin = 3*fileBlock - 100
	var c lengths
	b := blocks{w: &c, at: begin}
	for _, n := range []int{1, 98, 2, fileBlock - 1, 0, 3*fileBlock + 7} {
		if got, err := b.Write(make([]byte, n)); got != n || err != nil {
			t.Fatalf("wrote %d of %d bytes, error %v", got, n, err)
		}
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := (lengths{100, fileBlock, fileBlock, fileBlock, fileBlock, 7}); !slices.Equal(c, want) {
		t.Errorf("writes of %d bytes, want %d", c, want)
	}
}
