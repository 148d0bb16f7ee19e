package snapshot

import (
	"fmt"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
)

// at is where row r, column c of a state lies in the block.
func at(slot *payload.StateSlot, r, c int) int {
	begin := slot.Offset
	if slot.Run > 0 {
		begin += r / slot.Run * ((slot.Run + slot.Lanes - 1) / slot.Lanes * slot.Lanes) * slot.Columns
		r %= slot.Run
	}
	return begin + r/slot.Lanes*slot.Lanes*slot.Columns + c*slot.Lanes + r%slot.Lanes
}

// gather reads a slot in canonical order.
func gather(dst []float32, s *engine.State, slot *payload.StateSlot) {
	if slot.Kind == cacheKind {
		newCached(s, slot).gather(dst)
		return
	}
	for i := range dst {
		dst[i] = s.Block()[at(slot, i/slot.Columns, i%slot.Columns)]
	}
}

// scatter is the inverse of gather.
func scatter(s *engine.State, src []float32, slot *payload.StateSlot) {
	if slot.Kind == cacheKind {
		newCached(s, slot).scatter(src)
		return
	}
	for i, v := range src {
		s.Block()[at(slot, i/slot.Columns, i%slot.Columns)] = v
	}
}

// Check proves that the places of a payload's states lie in the block, or on the
// pages of the caches.
func Check(slots []payload.StateSlot, shape *engine.Shape) error {
	block := shape.State
	for _, s := range slots {
		if s.Kind == cacheKind {
			if err := checkCache(&s, shape.Caches); err != nil {
				return err
			}
			continue
		}
		if s.Rows < 0 || s.Columns < 0 || s.Lanes < 1 || s.Run < 0 || s.Offset < 0 {
			return fmt.Errorf("payload: state %q [%d %d] is none", s.Name, s.Rows, s.Columns)
		}
		if s.Rows > block || s.Columns > block || s.Lanes > block || s.Run > block || s.Offset > block {
			return fmt.Errorf("payload: state %q [%d %d] leaves the block of %d", s.Name, s.Rows, s.Columns, block)
		}
		if s.Rows*s.Columns > 0 && at(&s, s.Rows-1, s.Columns-1) >= block {
			return fmt.Errorf("payload: state %q [%d %d] leaves the block of %d", s.Name, s.Rows, s.Columns, block)
		}
	}
	return nil
}
