package model

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

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
	return s.header(), nil
}

// header is the session as a file says it.
func (s *Session) header() *state.Header {
	meta := s.model.payload.Metadata()
	h := &state.Header{
		Model: meta.Identity, Weights: meta.Weights, Math: meta.Math,
		Position: s.states[0].Pos(), Text: hex.EncodeToString(s.text[:]), Tensors: s.model.tensors(s.ready),
	}
	for i := range meta.States {
		gather(h.Tensors[i].Values, s.states[0].Block(), &meta.States[i])
	}
	if s.ready {
		copy(h.Tensors[len(meta.States)].Values, s.logits[0])
	}
	return h
}

// tensors is what a file has room for: every state, and the last logits if
// there are any.
func (m *Model) tensors(logits bool) []state.Tensor {
	var list []state.Tensor
	for _, slot := range m.payload.Metadata().States {
		list = append(list, newTensor(slot.Name, slot.Rows, slot.Columns))
	}
	if logits {
		list = append(list, newTensor(logitsTensor, m.Vocabulary()))
	}
	return list
}

func newTensor(name string, shape ...int) state.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return state.Tensor{Name: name, Shape: shape, Values: make([]float32, n)}
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
	tensors := s.model.tensors(len(h.Tensors) > len(s.model.payload.Metadata().States))
	if err := in.ReadValues(tensors); err != nil {
		return err
	}
	return s.replace(h, tensors)
}

// fits tells of a file that belongs to another model.
func (s *Session) fits(h *state.Header) error {
	meta := s.model.payload.Metadata()
	for _, c := range []struct{ what, have, want string }{
		{"model", h.Model, meta.Identity}, {"weights", h.Weights, meta.Weights}, {"math", h.Math, meta.Math},
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
	block := s.states[0].Block()
	clear(block)
	for i := range slots {
		scatter(block, tensors[i].Values, &slots[i])
	}
	if s.ready = len(tensors) > len(slots); s.ready {
		copy(s.logits[0], tensors[len(slots)].Values)
	}
	s.states[0].SetPos(h.Position)
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

func gather(dst, block []float32, slot *payload.StateSlot) {
	for i := range dst {
		dst[i] = block[at(slot, i/slot.Columns, i%slot.Columns)]
	}
}

func scatter(block, src []float32, slot *payload.StateSlot) {
	for i, v := range src {
		block[at(slot, i/slot.Columns, i%slot.Columns)] = v
	}
}

// checkSlots proves that the places of a payload's states lie in the block.
func checkSlots(slots []payload.StateSlot, block int) error {
	for _, s := range slots {
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
