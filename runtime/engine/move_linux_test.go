package engine_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/hugepage"
)

const mappedBytes = 8 << 20

// mappedWeights is a file in small pages, mapped and read.
func mappedWeights(t *testing.T) []byte {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "weights"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range mappedBytes / 4096 {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, mappedBytes, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(b) })
	for i := 0; i < len(b); i += 4096 {
		if b[i] != 0 {
			t.Fatalf("byte %d is %d", i, b[i])
		}
	}
	return b
}

func hugeBytes(t *testing.T, b []byte) int64 {
	t.Helper()
	n, ok := hugepage.Bytes(b)
	if !ok {
		t.Skip("this system does not tell the size of pages")
	}
	return n
}

// TestWeightsMove: not for a short text, for a long one, at once when asked,
// and never unasked.
func TestWeightsMove(t *testing.T) {
	probe := mappedWeights(t)
	hugepage.New(probe).All()
	if hugeBytes(t, probe) == 0 {
		t.Skip("nothing moves here")
	}
	for _, c := range []struct {
		name  string
		move  bool
		steps int
		all   bool
		want  bool
	}{
		{"short", true, 64, false, false},
		{"long", true, 256, false, true},
		{"all", true, 1, true, true},
		{"unasked", false, 256, true, false},
	} {
		weights := mappedWeights(t)
		compiled := enginetest.Compiled(vocab)
		open := compiled.Open
		compiled.Open = func(level string, _ []byte) (engine.Program, error) { return open(level, []byte("weights")) }
		e, err := engine.New(compiled, weights, engine.Options{Threads: 2, Move: c.move})
		if err != nil {
			t.Fatal(err)
		}
		s := []*engine.State{e.NewState()}
		for range c.steps {
			if err := e.Decode(background, s, []int32{1}, [][]float32{nil}); err != nil {
				t.Fatal(err)
			}
		}
		if c.all {
			if err := e.MoveAll(background); err != nil {
				t.Fatal(err)
			}
		}
		e.Close()
		if got := hugeBytes(t, weights) > 0; got != c.want {
			t.Errorf("%s: moved is %v, want %v", c.name, got, c.want)
		}
	}
}
