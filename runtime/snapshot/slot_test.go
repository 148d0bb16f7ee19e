package snapshot

import (
	"testing"

	"github.com/mambac/mambac/runtime/payload"
)

// TestCanonicalOrder: every row and column of a slot has a place of its own, in
// lanes of neighbouring rows.
func TestCanonicalOrder(t *testing.T) {
	const rows, columns = 6, 3
	for i := range 16 {
		lanes, run := 1+i%8, []int{rows, 3}[i/8]
		slot := &payload.StateSlot{Name: "x", Rows: rows, Columns: columns, Lanes: lanes, Run: run % rows, Offset: 2}
		size := rows / run * ((run + lanes - 1) / lanes * lanes) * columns
		taken := map[int]bool{}
		for i := range rows * columns {
			r, c := i/columns, i%columns
			place := at(slot, r, c)
			if r%run%lanes > 0 && place != at(slot, r-1, c)+1 {
				t.Errorf("%d lanes, runs of %d: row %d does not follow row %d", lanes, run, r, r-1)
			}
			if taken[place] || place < slot.Offset || place >= slot.Offset+size {
				t.Errorf("%d lanes, runs of %d: row %d, column %d is at %d", lanes, run, r, c, place)
			}
			taken[place] = true
		}
	}
}
