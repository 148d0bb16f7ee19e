package snapshot

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
)

// narrowSlot is keys or values of two heads, behind what the program keeps.
func narrowSlot(format string, byColumns bool) payload.StateSlot {
	return payload.StateSlot{Name: "narrow", Kind: cacheKind, Rows: 2, Columns: 5, Offset: engine.PageTokens, ByColumns: byColumns, Format: format}
}

// narrow is the codec of a model with a slot, and a page with just room for it if it
// is like another.
func narrow(t testing.TB, slot, like payload.StateSlot, window bool) *Codec {
	t.Helper()
	meta := enginetest.NewRemembering(vocab).Meta
	meta.States, meta.Cache = append(meta.States, slot), slot.Format
	compiled, layout := enginetest.Remembering(vocab, window), packings[like.Format]
	compiled.Shape.Caches[0].Page = engine.PageTokens * (1 + 2*layout.headTokenWords(&like))
	e := start(t, compiled, engine.Options{Threads: 1})
	return New(&meta, e.Shape(), e)
}

// TestNarrowCaches: in a file rows of every format are float32, and what comes
// back has the bits that were there.
func TestNarrowCaches(t *testing.T) {
	for i := range 4 * len(packings) {
		format := []string{"", "f16", "int8"}[i/4]
		slot := narrowSlot(format, i%2 == 0)
		t.Run(fmt.Sprintf("%s/%v", format, slot.ByColumns), func(t *testing.T) {
			c := narrow(t, slot, slot, i%4/2 == 1)
			s := read(t, c, make([]int32, 100)...)
			r := rand.New(rand.NewPCG(uint64(i), 1))
			values := make([]float32, 100*slot.Rows*slot.Columns)
			for i := range values {
				values[i] = float32(r.NormFloat64())
			}
			scatter(s.State, values, &slot)
			kept := make([]float32, len(values))
			gather(kept, s.State, &slot)
			for i, v := range kept {
				if d := v - values[i]; d > 0.02 || d < -0.02 || format == "" && d != 0 {
					t.Fatalf("element %d: %v becomes %v", i, values[i], v)
				}
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(kept))); len(distinct) < 100 {
				t.Errorf("%d values of %d are left", len(distinct), len(values))
			}
			again := readBack(t, c, written(t, c, s)).State
			for n := range 2 {
				for j, v := range s.State.Page(0, n) {
					if math.Float32bits(v) != math.Float32bits(again.Page(0, n)[j]) {
						t.Fatalf("page %d, float32 %d: another word after reading", n, j)
					}
				}
			}
		})
	}
}

// TestNarrowSlots: a slot that leaves its page, or has a format that nobody knows,
// is refused before anything is read or written.
func TestNarrowSlots(t *testing.T) {
	for name, change := range map[string]func(*payload.StateSlot){
		"offset": func(s *payload.StateSlot) { s.Offset++ },
		"rows":   func(s *payload.StateSlot) { s.Rows++ },
		"format": func(s *payload.StateSlot) { s.Format = "f8" },
		"cache":  func(s *payload.StateSlot) { s.Cache = 1 },
	} {
		slot := narrowSlot("int8", true)
		change(&slot)
		c := narrow(t, slot, narrowSlot("int8", true), false)
		if err := c.Write(io.Discard, c.Fresh()); err == nil || !strings.Contains(err.Error(), `cache "narrow"`) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
