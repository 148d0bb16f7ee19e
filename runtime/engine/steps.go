package engine

import (
	"context"
	"fmt"

	"github.com/mambac/mambac/runtime/parallel"
)

// Rows is room for the logits of several tokens.
type Rows struct {
	values       []float32
	width, vocab int
}

// Row is what follows one of the tokens that logits were wanted of.
func (r *Rows) Row(i int) []float32 {
	at := i * r.width
	return r.values[at : at+r.vocab : at+r.vocab]
}

// MaxSteps is the number of ids that one call of Steps takes.
func (e *Engine) MaxSteps() int { return min(e.shape.Block, e.shape.Chunk) }

// NewRows makes room for all logits of a call of Steps.
func (e *Engine) NewRows() *Rows {
	return &Rows{aligned(e.MaxSteps() * e.shape.LogitWidth), e.shape.LogitWidth, e.shape.Vocab}
}

// Steps feeds up to MaxSteps ids to one sequence in one pass over the weights,
// wherever it stands. State and logits are those of as many calls of Decode, to
// the bit. The logits that follow ids[first] and later ones are left in the rows
// from 0 on; none if there are no more ids. Nothing happens when an argument is
// wrong or ctx has ended.
func (e *Engine) Steps(ctx context.Context, s *State, ids []int32, first int, logits *Rows) error {
	if err := e.checkSteps(s, ids); err != nil {
		return err
	}
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	e.lookAfter()
	s.sequence.grow(e.shape.Caches, e.shape.Chunk, len(ids))
	e.work = job{state: &s.sequence, ids: ids, row: first, rows: len(ids) - first}
	if e.work.rows > 0 {
		e.work.out = logits.values
	}
	e.team.Run(e.steps)
	s.sequence.Position += len(ids)
	return nil
}

func (e *Engine) checkSteps(s *State, ids []int32) error {
	if len(ids) == 0 || len(ids) > e.MaxSteps() {
		return fmt.Errorf("%d steps at once, want 1 to %d", len(ids), e.MaxSteps())
	}
	if err := e.checkState(s); err != nil {
		return err
	}
	if err := e.CheckPosition(s.Pos() + len(ids)); err != nil {
		return err
	}
	return e.CheckIDs(ids)
}

func (e *Engine) runSteps(w *parallel.Worker) {
	e.runChunk(w)
	if e.work.out != nil {
		e.runHead(w)
	}
}
