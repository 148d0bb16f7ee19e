package parallel

import (
	"sync/atomic"
	"testing"
)

// TestHalt: all workers see at the same barrier that the run is to end, and
// the next run starts afresh.
func TestHalt(t *testing.T) {
	for n := 1; n <= 4; n++ {
		team := NewTeam(n)
		var stop atomic.Bool
		rounds := make([]int, n)
		halted := team.RunUntil(&stop, func(w *Worker) {
			for !w.Halted() {
				if rounds[w.ID]++; rounds[w.ID] == 100 && w.ID == n-1 {
					stop.Store(true)
				}
				w.Barrier()
			}
		})
		for id, r := range rounds {
			if !halted || r != 100 {
				t.Errorf("%d workers: worker %d halted %v after %d rounds, want 100", n, id, halted, r)
			}
		}
		if team.RunUntil(new(atomic.Bool), func(w *Worker) { w.Barrier() }) {
			t.Errorf("%d workers: a run that nobody stopped was halted", n)
		}
		team.Run(func(w *Worker) {
			if w.Barrier(); w.Halted() {
				t.Errorf("%d workers: a run without a flag was halted", n)
			}
		})
		team.Close()
	}
}
