package engine

import (
	"context"
	"sync/atomic"
)

// Logits says for which tokens of a prefill logits are wanted.
type Logits int

// What a prefill can deliver.
const (
	NoLogits Logits = iota
	LastLogits
	AllLogits
)

// Sink takes the logits that follow ids[i]: Vocab values, valid during the
// call. It must not call the engine. Its error ends the prefill.
type Sink func(i int, logits []float32) error

// Prefill feeds ids to one sequence, in chunks that end at multiples of the
// program's chunk in the sequence; other calls may run between them. Wrong ids
// are an error before anything runs. When ctx ends, or sink fails, the whole chunks
// so far stay in the state; Pos tells how many tokens that are. The end of ctx is
// seen within a layer, or behind the chunk at hand where states are too large for
// CopiesStates.
func (e *Engine) Prefill(ctx context.Context, s *State, ids []int32, want Logits, sink Sink) error {
	return e.prefill(ctx, s, ids, wanted{want: want, sink: sink})
}

func (e *Engine) prefill(ctx context.Context, s *State, ids []int32, w wanted) error {
	if err := e.checkState(s); err != nil {
		return err
	}
	if err := e.CheckIDs(ids); err != nil {
		return err
	}
	if err := e.CheckPosition(s.Pos() + len(ids)); err != nil {
		return err
	}
	var stop *atomic.Bool
	if ctx.Done() != nil {
		stop = new(atomic.Bool)
		defer context.AfterFunc(ctx, func() { stop.Store(true) })()
	}
	for done := 0; done < len(ids); {
		n := min(e.shape.Chunk-s.sequence.Position%e.shape.Chunk, len(ids)-done)
		w.first, w.tokens, w.last = done, n, done+n == len(ids)
		if err := e.prefillChunk(ctx, stop, s, ids[done:done+n], w); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// prefillChunk feeds one chunk, or nothing of it.
func (e *Engine) prefillChunk(ctx context.Context, stop *atomic.Bool, s *State, ids []int32, w wanted) error {
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	switch {
	case stop == nil || s.sequence.Position == 0: // a fresh state is zeros, not yet pages
	case e.CopiesStates():
		e.saved = append(e.saved[:0], s.sequence.Block...)
	default:
		stop = nil
	}
	s.sequence.grow(e.shape.Caches, e.shape.Chunk, len(ids))
	e.work = job{state: &s.sequence, ids: ids}
	if w.taps != nil {
		w.taps.first = w.first
		e.tap(w.taps)
		defer e.tap(nil)
	}
	if e.team.RunUntil(stop, e.chunk) {
		e.restore(s)
		return ctx.Err()
	}
	s.sequence.Position += len(ids)
	return e.deliver(w)
}

// tap has every worker hand out taps, or with nil no more.
func (e *Engine) tap(t *tapped) {
	for i := range e.memories {
		e.memories[i].taps = t
	}
}

// restore takes a sequence back to before the chunk at hand.
func (e *Engine) restore(s *State) {
	if s.sequence.Position == 0 {
		s.Reset()
		return
	}
	copy(s.sequence.Block, e.saved)
}

// wanted says which logits of a chunk go where.
type wanted struct {
	first, tokens int // of the call's ids
	last          bool
	want          Logits
	sink          Sink
	taps          *tapped // nil for none
}

// deliver hands over the wanted logits of the chunk that was just run.
func (e *Engine) deliver(w wanted) error {
	switch {
	case w.taps != nil:
		return w.taps.err
	case w.want == AllLogits:
		return e.deliverRows(w.first, 0, w.tokens, w.sink)
	case w.want == LastLogits && w.last:
		return e.deliverRows(w.first, w.tokens-1, w.tokens, w.sink)
	}
	return nil
}

// deliverRows passes rows [row, end) of the chunk on in blocks.
func (e *Engine) deliverRows(first, row, end int, sink Sink) error {
	for row < end {
		rows := min(e.shape.Block, end-row)
		e.work = job{row: row, rows: rows, out: e.block()}
		e.team.Run(e.head)
		for i := range rows {
			at := i * e.shape.LogitWidth
			if err := sink(first+row+i, e.rows[at:at+e.shape.Vocab:at+e.shape.Vocab]); err != nil {
				return err
			}
		}
		row += rows
	}
	return nil
}
