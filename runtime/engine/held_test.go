package engine

import (
	"runtime"
	"testing"
	"unsafe"
)

// kept has what is allocated be on the heap.
var kept []float32

// allocated is what of the heap a block takes: others may allocate meanwhile, but not
// each time.
func allocated(n int) int {
	least := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		kept = block(n)
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	kept = nil
	return int(least)
}

// TestHeld: what is counted of a part of a state is what it takes of Go's heap, for
// small ones and large ones, and starts on a cache line.
func TestHeld(t *testing.T) {
	for _, n := range []int{
		0, 1, 16, 17, 63, 64, 100, 250, 256, 1000, 1025, 3000, 5000, 8191, 8192, 8193, 9000, 12_288, 100_000, 700_000,
		leastHuge/4 - 1, leastHuge / 4, leastHuge/4 + 1, 3 << 20,
	} {
		if have, want := Held(n), allocated(n); have != want {
			t.Errorf("of %d values %d bytes are counted, %d are allocated", n, have, want)
		}
		if b := block(n); len(b) != n || n > 0 && uintptr(unsafe.Pointer(&b[0]))%(4*lineFloats) != 0 {
			t.Errorf("of %d values there are %d, at %p", n, len(b), b)
		}
	}
}

// TestPagesFit: a page that fits the heap's takes no more than it has values.
func TestPagesFit(t *testing.T) {
	for _, bytes := range []int{16 << 10, 32 << 10, 48 << 10, 256 << 10, 1 << 20} {
		if held := Held(bytes / 4); held != bytes {
			t.Errorf("a page of %d bytes takes %d", bytes, held)
		}
	}
}

// TestStateHeld adds all parts up.
func TestStateHeld(t *testing.T) {
	s := State{Sequence{Block: block(1000), pages: [][]page{{{block(300), true}, {block(300), false}}}}}
	if have, want := s.Held(), Held(1000)+2*Held(300); have != want || have <= s.Bytes() {
		t.Errorf("%d bytes, want %d, more than %d", have, want, s.Bytes())
	}
}
