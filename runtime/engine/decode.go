package engine

import (
	"context"
	"fmt"

	"github.com/mambac/mambac/runtime/parallel"
)

// NewLogits makes a row of Vocab logits for Decode, with the room behind it
// that lets Decode write in place.
func (e *Engine) NewLogits() []float32 { return aligned(e.shape.LogitWidth)[:e.shape.Vocab] }

// Decode feeds ids[i] to states[i], each another sequence, and leaves the
// logits that follow it in logits[i], a row of Vocab values from NewLogits or
// nil for none. Sequences share passes over the weights, up to Shape().Block
// of them each, and have the results that they have alone. Nothing happens when
// an argument is wrong or ctx has ended; when it ends on the way, the passes so
// far stay.
func (e *Engine) Decode(ctx context.Context, states []*State, ids []int32, logits [][]float32) error {
	if err := e.checkBatch(states, ids, logits); err != nil {
		return err
	}
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	e.lookAfter()
	for len(states) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(e.shape.Block, len(states))
		e.pass(states[:n], ids[:n], logits[:n])
		states, ids, logits = states[n:], ids[n:], logits[n:]
	}
	return nil
}

// pass feeds a token to each of a few sequences. The head runs from the first
// row that is wanted to the last, so that it too reads its weights once.
func (e *Engine) pass(states []*State, ids []int32, logits [][]float32) {
	first, rows := wantedRows(logits)
	e.work = job{ids: ids, row: first, rows: rows}
	switch {
	case rows == 1:
		e.work.out = e.wide(logits[first])
	case rows > 1:
		e.work.out = e.block()
	}
	e.feed(states)
	for i := range rows {
		copy(logits[first+i], e.work.out[i*e.shape.LogitWidth:]) // nothing where it lies there
	}
}

// wantedRows is the run from the first row of logits that is not nil to the
// last.
func wantedRows(logits [][]float32) (first, rows int) {
	end := len(logits)
	for end > 0 && logits[end-1] == nil {
		end--
	}
	for first < end && logits[first] == nil {
		first++
	}
	return first, end - first
}

// feed runs the work at hand for its sequences.
func (e *Engine) feed(states []*State) {
	for _, s := range states {
		s.sequence.grow(e.shape.Caches, e.shape.Chunk, 1)
	}
	if len(states) == 1 {
		e.work.state = &states[0].sequence
		e.team.Run(e.step)
	} else {
		for _, s := range states {
			e.blocks = append(e.blocks, &s.sequence)
		}
		e.work.states = e.blocks
		e.team.Run(e.batch)
		clear(e.blocks)
		e.blocks = e.blocks[:0]
	}
	for _, s := range states {
		s.sequence.Position++
	}
}

// wide is where the head writes a row that is wanted in dst: dst itself when
// it has room for the padding.
func (e *Engine) wide(dst []float32) []float32 {
	if cap(dst) >= e.shape.LogitWidth {
		return dst[:e.shape.LogitWidth]
	}
	return e.block()
}

// block is the rows that logits pass through on their way to a sink.
func (e *Engine) block() []float32 {
	if e.rows == nil {
		e.rows = aligned(e.shape.Block * e.shape.LogitWidth)
	}
	return e.rows
}

func (e *Engine) runStep(w *parallel.Worker) {
	e.program.Decode(w, &e.memories[w.ID], e.work.state, e.work.ids[0])
	if e.work.out != nil {
		e.runHead(w)
	}
}

func (e *Engine) runBatch(w *parallel.Worker) {
	e.program.Batch(w, &e.memories[w.ID], e.work.states, e.work.ids)
	if e.work.out != nil {
		e.runHead(w)
	}
}

func (e *Engine) checkBatch(states []*State, ids []int32, logits [][]float32) error {
	if len(ids) != len(states) || len(logits) != len(states) {
		return fmt.Errorf("decode of %d sequences: have %d ids and %d rows of logits, want as many", len(states), len(ids), len(logits))
	}
	for i, s := range states {
		if err := e.checkState(s); err != nil {
			return err
		}
		if err := e.CheckPosition(s.Pos() + 1); err != nil {
			return err
		}
		if logits[i] != nil && len(logits[i]) != e.shape.Vocab {
			return fmt.Errorf("logits row %d: have %d values, want %d", i, len(logits[i]), e.shape.Vocab)
		}
		for _, other := range states[:i] {
			if other == s {
				return fmt.Errorf("sequence %d is in the batch twice; clone its state", i)
			}
		}
	}
	return e.CheckIDs(ids)
}
