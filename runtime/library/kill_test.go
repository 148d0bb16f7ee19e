//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package library

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/mambac/mambac/runtime/state"
)

// childEnv names the folder in which a child writes until it is killed.
const childEnv = "LIBRARY_TEST_CHILD"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childEnv); folder != "" {
		fmt.Fprintln(os.Stderr, writeForever(folder))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// values is the length of a child's state: some buffers of what is written at once.
const values = 50_000

// writeForever replaces a state again and again, and reports every step of it with
// a byte on stdout.
func writeForever(folder string) error {
	l, err := Open(folder)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if err := l.Put("a", Entry{}, func(w io.Writer) error { return state.Write(reporting{w}, header(n, values)) }); err != nil {
			return err
		}
		if err := report(); err != nil {
			return err
		}
	}
}

func report() error {
	_, err := os.Stdout.Write([]byte{0})
	return err
}

// reporting reports what it has written.
type reporting struct{ io.Writer }

func (r reporting) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if err != nil {
		return n, err
	}
	return n, report()
}

// TestKill kills a writer at every step of its work and between them, more than a
// hundred times: the state is an old one or a new one, never half, and what is left
// over goes.
func TestKill(t *testing.T) {
	l := open(t)
	put(t, l, "a", 0)
	last, leftovers := 0, 0
	for reports := 1; reports <= 120; reports++ {
		killAfter(t, l.folder, reports)
		if err := l.Verify("a"); err != nil {
			t.Fatalf("killed after report %d: %v", reports, err)
		}
		entries, err := os.ReadDir(l.folder)
		if err != nil {
			t.Fatal(err)
		}
		leftovers += len(entries) - 1
		if _, err := Open(l.folder); err != nil {
			t.Fatal(err)
		}
		requireNames(t, l, "a")
		_, e, err := l.Get("a")
		if err != nil {
			t.Fatal(err)
		}
		last = max(last, e.Tokens)
	}
	if last < 2 || leftovers < 10 {
		t.Errorf("%d states in a row and %d leftovers are no test", last, leftovers)
	}
	put(t, l, "b", 1)
	requireNames(t, l, "a", "b")
}

// killAfter runs a child and kills it when it has reported so often.
func killAfter(t *testing.T, folder string, reports int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, read := io.ReadFull(out, make([]byte, reports))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says that it was killed
	if read != nil {
		t.Fatalf("the child ended by itself: %v", read)
	}
}

// TestLivingWriter: opening the library, and other writers, leave alone what is
// being written.
func TestLivingWriter(t *testing.T) {
	l := open(t)
	err := l.Put("a", Entry{}, func(w io.Writer) error {
		if _, err := Open(l.folder); err != nil {
			return err
		}
		put(t, l, "b", 2)
		return state.Write(w, header(1, 10))
	})
	if err != nil {
		t.Fatal(err)
	}
	requireNames(t, l, "a", "b")
}
