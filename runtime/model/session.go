package model

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/lookup"
	"github.com/mambac/mambac/runtime/snapshot"
)

// Session is one text that the model reads and continues. Its memory does not
// grow with the text. One call at a time may use it; a second one returns
// ErrBusy.
type Session struct {
	model *Model
	busy  atomic.Bool // one call uses what follows
	sequence
	closed     bool
	generating bool // a loop over Generate has not ended

	// reader has moved the state, and may have to put it right; nil for none. No more
	// than most ids come behind the one that is read next.
	reader *lookup.Reader
	most   int

	// Arguments of the engine, made once: a step allocates nothing.
	states []*engine.State
	logits [][]float32
	one    []int32
	ids    []int32
	keep   engine.Sink
}

// sequence is what makes one session differ from another, besides the state
// and its logits.
type sequence struct {
	ready   bool              // the logits are those that follow the last id
	pending int32             // an id that was generated and not read yet, or none
	text    [sha256.Size]byte // chained digest of the ids read
	seen    []uint64          // bit set of the ids read
	partial bool              // seen lacks those of a file that did not list them
}

// none stands for no id.
const none = -1

// NewSession starts an empty text.
func (m *Model) NewSession() *Session {
	return m.newSession(m.engine.NewState(), sequence{pending: none, seen: make([]uint64, (m.compiled.Shape.IDs+63)/64)})
}

func (m *Model) newSession(state *engine.State, q sequence) *Session {
	s := &Session{
		model: m, sequence: q, states: []*engine.State{state},
		logits: [][]float32{m.engine.NewLogits()}, one: make([]int32, 1),
	}
	s.keep = func(_ int, logits []float32) error {
		copy(s.logits[0], logits)
		return nil
	}
	return s
}

// enter begins a call, leave ends it.
func (s *Session) enter() error {
	if !s.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	err := ErrClosed
	if !s.closed {
		err = s.model.use()
	}
	if err != nil {
		s.busy.Store(false)
	}
	return err
}

func (s *Session) leave() {
	s.model.done()
	s.busy.Store(false)
}

// enterToWrite begins a call that moves the session on, which a loop over
// Generate forbids.
func (s *Session) enterToWrite() error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.generating {
		s.leave()
		return ErrBusy
	}
	return nil
}

// errNoContext is the error of a call that was given none.
var errNoContext = errors.New("the context is nil; use context.Background()")

// enterToRead is enterToWrite for a call that computes.
func (s *Session) enterToRead(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	return s.enterToWrite()
}

// settle reads the id that was generated last.
func (s *Session) settle(ctx context.Context) error {
	if s.pending == none {
		return nil
	}
	id := s.pending
	if err := s.step(ctx, id); err != nil {
		return err
	}
	s.pending = none
	return nil
}

// step reads one id.
func (s *Session) step(ctx context.Context, id int32) error {
	s.one[0] = id
	if err := s.decode(ctx); err != nil {
		return err
	}
	s.note(s.one)
	s.ready = true
	return nil
}

func (s *Session) decode(ctx context.Context) error {
	if s.reader != nil {
		return s.reader.Read(ctx, s.one[0], s.most, s.logits[0])
	}
	return s.model.engine.Decode(ctx, s.states, s.one, s.logits)
}

// straighten has the state be what was read, and nothing ahead of it.
func (s *Session) straighten(ctx context.Context) error {
	if s.reader == nil {
		return nil
	}
	if err := s.reader.Settle(ctx); err != nil {
		return err
	}
	if !s.generating {
		s.reader = nil
	}
	return nil
}

// position is the number of ids read, without the one that is pending.
func (s *Session) position() int {
	if s.reader != nil {
		return s.reader.Position()
	}
	return s.states[0].Pos()
}

// checkID tells of an id that the model has no embedding for, by the name that
// the caller gave it: the engine knows only those of 32 bits.
func (s *Session) checkID(id int) error {
	if n := s.model.compiled.Shape.IDs; id < 0 || id >= n {
		return fmt.Errorf("id %d is outside the vocabulary of %d", id, n)
	}
	return nil
}

// note remembers that ids were read.
func (s *Session) note(ids []int32) {
	s.text = snapshot.Extend(s.text, ids...)
	for _, id := range ids {
		s.seen[id/64] |= 1 << (id % 64)
	}
}

// Prefill reads ids, many at a time. An id that the model has no embedding for
// is an error before anything is read. When ctx ends, what was read until then
// stays: Position tells how much, and Logits is nil until more is read.
func (s *Session) Prefill(ctx context.Context, ids []int) error {
	if err := s.enterToRead(ctx); err != nil {
		return err
	}
	defer s.leave()
	return s.prefill(ctx, ids)
}

func (s *Session) prefill(ctx context.Context, ids []int) error {
	s.ids = s.ids[:0]
	if s.pending != none {
		s.ids = append(s.ids, s.pending)
	}
	for _, id := range ids {
		if err := s.checkID(id); err != nil {
			return err
		}
	}
	s.ids = int32s(s.ids, ids)
	if len(s.ids) == 0 {
		return nil
	}
	if err := s.straighten(ctx); err != nil {
		return err
	}
	state := s.states[0]
	before := state.Pos()
	err := s.model.engine.Prefill(ctx, state, s.ids, engine.LastLogits, s.keep)
	if n := state.Pos() - before; n > 0 {
		s.note(s.ids[:n])
		s.pending, s.ready = none, n == len(s.ids)
	}
	return err
}

// Step reads one id. It allocates nothing, and reads nothing if ctx has ended.
func (s *Session) Step(ctx context.Context, id int) error {
	if err := s.enterToRead(ctx); err != nil {
		return err
	}
	defer s.leave()
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := s.checkID(id); err != nil {
		return err
	}
	return s.step(ctx, int32(id))
}

// Logits is the model's Vocabulary() scores for the id that follows those read,
// valid until the next call; nil before the first id, after an interrupted
// Prefill, and for a closed or busy session. Within a loop over Generate they
// are what the token at hand was chosen from.
func (s *Session) Logits() []float32 {
	if s.enter() != nil {
		return nil
	}
	defer s.leave()
	if !s.generating && s.settle(context.Background()) != nil || !s.ready {
		return nil
	}
	return s.logits[0]
}

// Position is the number of ids read.
func (s *Session) Position() int {
	if s.enter() != nil {
		return 0
	}
	defer s.leave()
	if s.pending != none {
		return s.position() + 1
	}
	return s.position()
}

// Fork makes a second session that has read the same and goes on by itself. Of
// a closed or busy session it makes a closed one.
func (s *Session) Fork() *Session {
	if err := s.enter(); err != nil {
		return &Session{model: s.model, closed: true}
	}
	defer s.leave()
	if s.straighten(context.Background()) != nil { // the model was closed
		return &Session{model: s.model, closed: true}
	}
	q := s.sequence
	q.seen = slices.Clone(q.seen)
	f := s.model.newSession(s.states[0].Clone(), q)
	copy(f.logits[0], s.logits[0])
	return f
}

// Close gives the session's memory back. It returns ErrBusy while a call runs.
func (s *Session) Close() error {
	if !s.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer s.busy.Store(false)
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	s.states, s.logits, s.ids, s.seen, s.reader = nil, nil, nil, nil, nil
	return nil
}
