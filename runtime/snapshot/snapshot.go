// Package snapshot turns what a sequence has read into a state file of its model,
// and back; it sees the runtime only.
package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/state"
)

// LogitsTensor names the logits in a state file.
const LogitsTensor = "logits"

// Codec writes and reads state files of one model, for any number of goroutines.
type Codec struct {
	meta   *payload.Metadata
	shape  engine.Shape
	engine *engine.Engine
}

// New is the codec of the model that an engine runs.
func New(meta *payload.Metadata, shape engine.Shape, e *engine.Engine) *Codec {
	return &Codec{meta, shape, e}
}

// Snapshot is what a sequence has read.
type Snapshot struct {
	State  *engine.State
	Logits []float32         // that follow; nil if they are not known
	Text   [sha256.Size]byte // digest of the ids read, see Extend
	Seen   []uint64          // bit set of the ids read, see Note; nil if it is not known

	// What somebody has said of it, if anything.
	Label, Source string
	Parent        string // name of the state that it was made from
	Created       time.Time
}

// Fresh is a sequence that has read nothing.
func (c *Codec) Fresh() *Snapshot {
	return &Snapshot{State: c.engine.NewState(), Seen: make([]uint64, c.words())}
}

// words is the length of a set of ids.
func (c *Codec) words() int { return (c.shape.IDs + 63) / 64 }

// Extend is the digest of a text that more ids have been added to; that of none is
// zeros. It is chained, so that it can be kept up as a text grows.
func Extend(text [sha256.Size]byte, ids ...int32) [sha256.Size]byte {
	var block [sha256.Size + 4]byte
	for _, id := range ids {
		copy(block[:], text[:])
		binary.LittleEndian.PutUint32(block[sha256.Size:], uint32(id))
		text = sha256.Sum256(block[:])
	}
	return text
}

// Note remembers that the sequence has read ids that the model has.
func (s *Snapshot) Note(ids ...int32) {
	s.Text = Extend(s.Text, ids...)
	if s.Seen == nil {
		return
	}
	for _, id := range ids {
		s.Seen[id/64] |= 1 << (id % 64)
	}
}

// Write writes a snapshot as a state file. Equal ones give equal bytes.
func (c *Codec) Write(w io.Writer, s *Snapshot) error {
	h, err := c.Header(s)
	if err != nil {
		return err
	}
	return state.Write(w, h)
}

// Header is a copy of a snapshot, as a file says it.
func (c *Codec) Header(s *Snapshot) (*state.Header, error) {
	if err := c.check(s); err != nil {
		return nil, err
	}
	position := s.State.Pos()
	h := &state.Header{
		Model: c.meta.Identity, Weights: c.meta.Weights, Math: c.meta.Math, Cache: c.meta.Cache,
		Position: position, Text: hex.EncodeToString(s.Text[:]), Seen: c.seenBytes(s),
		Label: s.Label, Source: s.Source, Parent: s.Parent, Created: s.Created,
		Tensors: c.tensors(position, s.Logits != nil),
	}
	for i := range h.Tensors {
		h.Tensors[i].Values = make([]float32, h.Tensors[i].Elements())
	}
	for i := range c.meta.States {
		gather(h.Tensors[i].Values, s.State, &c.meta.States[i])
	}
	if s.Logits != nil {
		copy(h.Tensors[len(c.meta.States)].Values, s.Logits)
	}
	return h, nil
}

// check tells of a snapshot of another model.
func (c *Codec) check(s *Snapshot) error {
	switch {
	case len(s.State.Block()) != c.shape.State:
		return fmt.Errorf("a state of %d values, want %d: it is of another model", len(s.State.Block()), c.shape.State)
	case s.Logits != nil && len(s.Logits) != c.shape.Vocab:
		return fmt.Errorf("%d logits, want %d: they are of another model", len(s.Logits), c.shape.Vocab)
	case s.Seen != nil && len(s.Seen) != c.words():
		return fmt.Errorf("a set of ids of %d words, want %d: it is of another model", len(s.Seen), c.words())
	}
	return Check(c.meta.States, &c.shape)
}

// tensors is what a file has room for: every state, and the last logits if
// there are any; caches have the tokens that a next one may look back at.
func (c *Codec) tensors(position int, logits bool) []state.Tensor {
	var list []state.Tensor
	for i, slot := range c.meta.States {
		shape := []int{slot.Rows, slot.Columns}
		if slot.Kind == cacheKind {
			shape = append([]int{position - c.oldest(i, position)}, shape...)
		}
		list = append(list, state.Tensor{Name: slot.Name, Shape: shape})
	}
	if logits {
		list = append(list, state.Tensor{Name: LogitsTensor, Shape: []int{c.shape.Vocab}})
	}
	return list
}

// oldest is the first token of which slot i is kept when position tokens have
// been read.
func (c *Codec) oldest(i, position int) int {
	if window := c.shape.Caches[c.meta.States[i].Cache].Window; window > 0 {
		return max(0, position-window)
	}
	return 0
}

// Read reads a state file of the same checkpoint and storage, to its end and not
// to that of r.
func (c *Codec) Read(r io.Reader) (*Snapshot, error) {
	in, err := state.NewReader(r)
	if err != nil {
		return nil, err
	}
	return c.read(in)
}

func (c *Codec) read(in *state.Reader) (*Snapshot, error) {
	h := &in.Header
	if err := c.Fits(h); err != nil {
		return nil, err
	}
	if err := Check(c.meta.States, &c.shape); err != nil {
		return nil, err
	}
	if err := c.engine.CheckPosition(h.Position); err != nil {
		return nil, err
	}
	s, err := c.described(h)
	if err != nil {
		return nil, err
	}
	tensors := c.tensors(h.Position, len(h.Tensors) > len(c.meta.States))
	if err := in.ReadValues(tensors); err != nil {
		return nil, err
	}
	c.place(s, h.Position, tensors)
	return s, nil
}

// Fits tells of a file that belongs to another model.
func (c *Codec) Fits(h *state.Header) error {
	for _, f := range []struct{ what, have, want string }{
		{"model", h.Model, c.meta.Identity}, {"weights", h.Weights, c.meta.Weights}, {"math", h.Math, c.meta.Math}, {"cache", h.Cache, c.meta.Cache},
	} {
		if f.have != f.want {
			return fmt.Errorf("state file is of %s %.16q, this is %.16q; a state can be read only by the model that wrote it: use that, or save the text's state again with this one", f.what, f.have, f.want)
		}
	}
	return nil
}

// described is the snapshot of a file but for its values.
func (c *Codec) described(h *state.Header) (*Snapshot, error) {
	s := &Snapshot{Label: h.Label, Source: h.Source, Parent: h.Parent, Created: h.Created}
	text, err := hex.DecodeString(h.Text)
	if err != nil || len(text) != len(s.Text) {
		return nil, errors.New("state header: the digest of the text is none; save the state again")
	}
	s.Text = [len(s.Text)]byte(text)
	s.Seen, err = c.seenWords(h)
	return s, err
}

// place makes the sequence that the values of a file are of.
func (c *Codec) place(s *Snapshot, position int, tensors []state.Tensor) {
	s.State = c.engine.NewState()
	c.engine.Place(s.State, position)
	slots := c.meta.States
	for i := range slots {
		scatter(s.State, tensors[i].Values, &slots[i])
	}
	if len(tensors) > len(slots) {
		s.Logits = c.engine.NewLogits()
		copy(s.Logits, tensors[len(slots)].Values)
	}
}

// seenBytes is the set of ids as a file has it; before the first id there is
// nothing to say.
func (c *Codec) seenBytes(s *Snapshot) []byte {
	if s.Seen == nil || s.State.Pos() == 0 {
		return nil
	}
	var b []byte
	for _, word := range s.Seen {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return b[:(c.shape.IDs+7)/8]
}

// seenWords is the inverse of seenBytes. Files that were written before there was a
// set have none.
func (c *Codec) seenWords(h *state.Header) ([]uint64, error) {
	set := make([]uint64, c.words())
	switch want := (c.shape.IDs + 7) / 8; {
	case h.Position == 0:
		return set, nil
	case h.Seen == nil:
		return nil, nil
	case len(h.Seen) != want:
		return nil, fmt.Errorf("state header: the set of ids has %d bytes, want %d; save the state again", len(h.Seen), want)
	}
	for i, b := range h.Seen {
		set[i/8] |= uint64(b) << (i % 8 * 8)
	}
	for id := c.shape.IDs; id < 64*len(set); id++ {
		set[id/64] &^= 1 << (id % 64)
	}
	return set, nil
}
