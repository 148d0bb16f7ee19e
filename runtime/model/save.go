package model

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/state"
)

// logitsTensor names the logits in a state file.
const logitsTensor = "logits"

// Save writes what the session has read as a state file: a few hundred
// kilobytes to a few megabytes, however long the text. Programs of the same
// checkpoint and storage read it, whatever their CPU level.
func (s *Session) Save(w io.Writer) error {
	if err := s.enter(); err != nil {
		return err
	}
	h, err := s.settledHeader()
	s.leave() // h is a copy, w may be slow
	if err != nil {
		return err
	}
	return state.Write(w, h)
}

// settledHeader is the session as a file says it, with the id that was
// generated last.
func (s *Session) settledHeader() (*state.Header, error) {
	if !s.generating {
		if err := s.settle(context.Background()); err != nil {
			return nil, err
		}
	}
	if err := s.straighten(context.Background()); err != nil {
		return nil, err
	}
	return s.header(), nil
}

// header is the session as a file says it.
func (s *Session) header() *state.Header {
	meta := s.model.payload.Metadata()
	h := &state.Header{
		Model: meta.Identity, Weights: meta.Weights, Math: meta.Math, Cache: meta.Cache,
		Position: s.states[0].Pos(), Text: hex.EncodeToString(s.text[:]), Tensors: allocated(s.model.tensors(s.states[0].Pos(), s.ready)),
	}
	for i := range meta.States {
		gather(h.Tensors[i].Values, s.states[0], &meta.States[i])
	}
	if s.ready {
		copy(h.Tensors[len(meta.States)].Values, s.logits[0])
	}
	return h
}

// tensors is what a file has room for: every state, and the last logits if
// there are any; caches have the tokens that a next one may look back at.
func (m *Model) tensors(position int, logits bool) []state.Tensor {
	var list []state.Tensor
	for i, slot := range m.payload.Metadata().States {
		shape := []int{slot.Rows, slot.Columns}
		if slot.Kind == cacheKind {
			shape = append([]int{position - m.oldest(i, position)}, shape...)
		}
		list = append(list, state.Tensor{Name: slot.Name, Shape: shape})
	}
	if logits {
		list = append(list, state.Tensor{Name: logitsTensor, Shape: []int{m.Vocabulary()}})
	}
	return list
}

// oldest is the first token of which slot i is kept when position tokens have
// been read.
func (m *Model) oldest(i, position int) int {
	slot := &m.payload.Metadata().States[i]
	if window := m.compiled.Shape.Caches[slot.Cache].Window; window > 0 {
		return max(0, position-window)
	}
	return 0
}

// allocated gives tensors their values.
func allocated(list []state.Tensor) []state.Tensor {
	for i := range list {
		list[i].Values = make([]float32, list[i].Elements())
	}
	return list
}

// Restore replaces what the session has read by a state file of the same
// checkpoint and storage. After an error the session is as before. It reads to
// the end of the file's own length, not of r.
func (s *Session) Restore(r io.Reader) error {
	if err := s.enterToWrite(); err != nil {
		return err
	}
	defer s.busy.Store(false)
	s.model.done() // r may be slow; a session's own memory stays when the model is closed
	in, err := state.NewReader(r)
	if err != nil {
		return err
	}
	h := &in.Header
	if err := s.fits(h); err != nil {
		return err
	}
	if err := s.model.engine.CheckPosition(h.Position); err != nil {
		return err
	}
	tensors := s.model.tensors(h.Position, len(h.Tensors) > len(s.model.payload.Metadata().States))
	if err := in.ReadValues(tensors); err != nil {
		return err
	}
	return s.replace(h, tensors)
}

// fits tells of a file that belongs to another model.
func (s *Session) fits(h *state.Header) error {
	meta := s.model.payload.Metadata()
	for _, c := range []struct{ what, have, want string }{
		{"model", h.Model, meta.Identity}, {"weights", h.Weights, meta.Weights}, {"math", h.Math, meta.Math}, {"cache", h.Cache, meta.Cache},
	} {
		if c.have != c.want {
			return fmt.Errorf("state file is of %s %.16q, this is %.16q; a state can be read only by the model that wrote it", c.what, c.have, c.want)
		}
	}
	return nil
}

// replace makes the session what a file says.
func (s *Session) replace(h *state.Header, tensors []state.Tensor) error {
	text, err := hex.DecodeString(h.Text)
	if err != nil || len(text) != len(s.text) {
		return errors.New("state header: the digest of the text is none")
	}
	slots := s.model.payload.Metadata().States
	s.reader = nil
	s.model.engine.Place(s.states[0], h.Position)
	for i := range slots {
		scatter(s.states[0], tensors[i].Values, &slots[i])
	}
	if s.ready = len(tensors) > len(slots); s.ready {
		copy(s.logits[0], tensors[len(slots)].Values)
	}
	s.pending, s.text = none, [len(s.text)]byte(text)
	clear(s.seen)
	return nil
}

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

// checkSlots proves that the places of a payload's states lie in the block, or
// on the pages of the caches.
func checkSlots(slots []payload.StateSlot, shape *engine.Shape) error {
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
