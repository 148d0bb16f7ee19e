package atomicfile

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipesAreWrittenThrough: a pipe gets the bytes, and stays a pipe.
func TestPipesAreWrittenThrough(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	// Open for both ways, so that neither side waits for the other.
	pipe, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if err := Write(path, 0o666, func(w io.Writer) error {
		_, err := io.WriteString(w, "logits")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Lstat(path); err != nil || st.Mode()&os.ModeNamedPipe == 0 {
		t.Fatalf("the pipe became %v, %v", st.Mode(), err)
	}
	got := make([]byte, len("logits"))
	if _, err := io.ReadFull(pipe, got); err != nil || string(got) != "logits" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestFoldersAreNoFiles(t *testing.T) {
	folder := t.TempDir()
	err := Write(folder, 0o666, func(io.Writer) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("error %v", err)
	}
}
