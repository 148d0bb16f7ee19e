//go:build amd64 || arm64 || riscv64

package hugepage

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// mapped is a file of n bytes, of which byte i is patternAt(i), mapped as a
// payload is. It is written page by page, so that the page cache has it in
// small ones.
func mapped(t *testing.T, n int) []byte {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, page)
	for at := 0; at < n; at += page {
		for i := range b {
			b[i] = patternAt(at + i)
		}
		if _, err := f.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, n, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(data); err != nil {
			t.Errorf("after a move: %v", err)
		}
		if u, ok := usageOf(data); !ok || u != (usage{file: true}) {
			t.Errorf("the mapping has left %+v behind", u)
		}
	})
	return data
}

func patternAt(i int) byte { return byte(i>>12) ^ byte(i) }

func requirePattern(t *testing.T, b []byte) {
	t.Helper()
	for i, v := range b {
		if v != patternAt(i) {
			t.Errorf("byte %d is %d, want %d", i, v, patternAt(i))
			return
		}
	}
}

// requireHuge skips where this system moves nothing, and for good reason.
func requireHuge(t *testing.T, b []byte) {
	t.Helper()
	if !worthwhile(b) {
		t.Skip("no huge pages here, no memory for them, or the file is in some already")
	}
}

// TestMove: readers find the same bytes before, while and after they move.
func TestMove(t *testing.T) {
	b := mapped(t, 12*huge+3*page)
	requirePattern(t, b)
	requireHuge(t, b)
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for last := false; !last; {
				last = done.Load()
				requirePattern(t, b)
			}
		})
	}
	m := New(b)
	calls := 1
	for m.Move() {
		calls++
	}
	done.Store(true)
	readers.Wait()
	if want := len(whole(b)) / minPiece; calls != want {
		t.Errorf("moved in %d calls, want %d", calls, want)
	}
	n, ok := Bytes(b)
	if !ok || n == 0 || n > int64(len(b)) {
		t.Errorf("%d bytes of %d in huge pages", n, len(b))
	}
	u, _ := usageOf(b)
	if u.file || u.resident > int64(len(b)) {
		t.Errorf("%d bytes resident, want no more than %d, in part not of the file", u.resident, len(b))
	}
	if New(b).Move() {
		t.Error("what has been moved is moved again")
	}
}

// TestMoveWhatIsRead: what nobody has read stays in the file.
func TestMoveWhatIsRead(t *testing.T) {
	b := mapped(t, 8*huge)
	requirePattern(t, b[:3*huge])
	requireHuge(t, b)
	New(b).All()
	if u, ok := usageOf(b); !ok || u.resident > 4*huge {
		t.Errorf("%d bytes resident after %d were read", u.resident, 3*huge)
	}
}

// TestMoveNoFile: memory that is mapped from no file stays as it is.
func TestMoveNoFile(t *testing.T) {
	b := make([]byte, 8*huge)
	if New(b).Move() {
		t.Error("moves memory of the program")
	}
}
