package state

import (
	"errors"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/snapshot"
)

// reader reads a text into a snapshot.
type reader struct {
	session  *app.Session
	model    *app.Running
	codec    *snapshot.Codec
	snapshot *snapshot.Snapshot
	quiet    bool
}

// newReader opens the model; close gives it back.
func newReader(s *app.Session, o *options) (*reader, error) {
	m, err := s.Start(o.Workers)
	if err != nil {
		return nil, err
	}
	codec := snapshot.New(m.Meta, m.Engine.Shape(), m.Engine)
	return &reader{session: s, model: m, codec: codec, snapshot: codec.Fresh(), quiet: o.quiet}, nil
}

func (r *reader) close() { r.model.Close() }

// ids is those of a text: where one begins with what a text begins with, behind
// another as it is.
func (r *reader) ids(text string) ([]int32, error) {
	t := r.model.Tokenizer
	if t == nil {
		return nil, errors.New("this model was built without a tokenizer; use state save --ids")
	}
	begins := r.snapshot.State.Pos() == 0
	ids, err := t.AppendEncode(nil, text, begins)
	if err != nil || len(ids) > 0 || !begins {
		return ids, err
	}
	if id, ok := r.model.Meta.First(); ok {
		return []int32{id}, nil
	}
	return nil, errors.New("the text is empty and the model has no token to begin with; give a text")
}

// read reads ids behind those that were read, chunk by chunk.
func (r *reader) read(ids []int32) error {
	state, e := r.snapshot.State, r.model.Engine
	if err := e.CheckIDs(ids); err != nil {
		return err
	}
	if err := e.CheckPosition(state.Pos() + len(ids)); err != nil {
		return err
	}
	p := newProgress(r.session, len(ids), r.quiet)
	defer p.abort()
	logits := e.NewLogits()
	keep := func(_ int, row []float32) error {
		copy(logits, row)
		return nil
	}
	chunk := e.Shape().Chunk
	for rest := ids; len(rest) > 0; {
		n, want := min(chunk-state.Pos()%chunk, len(rest)), engine.NoLogits
		if n == len(rest) {
			want = engine.LastLogits
		}
		if err := e.Prefill(r.session.Context, state, rest[:n], want, keep); err != nil {
			return err
		}
		r.snapshot.Note(rest[:n]...)
		rest = rest[n:]
		p.set(len(ids) - len(rest))
	}
	if len(ids) > 0 {
		r.snapshot.Logits = logits
	}
	p.finish()
	return nil
}
