package enginetest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Program is a copy of the executable that runs, with the payload: a test whose
// TestMain becomes a program when it is asked to has one to call.
func (c *Carrier) Program(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	code, err := os.ReadFile(self)
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "model.exe")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(code)
	if err == nil {
		err = c.Write(f, int64(len(code)))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}
