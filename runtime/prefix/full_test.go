package prefix

import (
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/runtime/disktest"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
)

// TestDiskFull: states that the disk has no room for are lost and nothing else; that is
// counted, and told when it begins.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, d *disktest.Disk) {
		e := newEngine(t, enginetest.Remembering(vocab, false))
		s := newSpill(t, e, filepath.Join(d.Folder, "spill"), 1<<20)
		told := 0
		s.OnError = func(err error) {
			if told++; !disktest.Full(err) {
				t.Error(err)
			}
		}
		c := newCache(t, Options{Memory: 1 << 20, Spill: s})
		state := e.NewState()
		if err := e.Prefill(t.Context(), state, ids(1, 100), engine.NoLogits, nil); err != nil {
			t.Fatal(err)
		}
		s.put(Key{1}, state)
		for round := 1; round <= 2; round++ {
			d.Fill(0)
			s.put(Key{2}, state)
			s.put(Key{3}, state)
			if n := c.Stats(); n.Unwritten != 2*round || n.SpilledStates != round || told != round || s.holds(Key{2}) {
				t.Errorf("round %d: %+v, told %d times", round, n, told)
			}
			if have := files(t, s.folder); len(have) != round { // and no hidden ones
				t.Errorf("round %d: there are %v", round, have)
			}
			if s.get(Key{1}) == nil {
				t.Error("what was there is gone")
			}
			d.Empty()
			s.put(Key{byte(10 + round)}, state)
		}
		if n := c.Stats(); n.SpilledStates != 3 || n.Unwritten != 4 || n.Damaged != 0 {
			t.Errorf("with room again: %+v", n)
		}
	})
}
