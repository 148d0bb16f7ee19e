package engine

import "context"

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
// program's chunk in the sequence. Wrong ids are an error before anything
// runs. When ctx ends, or sink fails, the chunks so far stay in the state;
// Pos tells how many tokens that are.
func (e *Engine) Prefill(ctx context.Context, s *State, ids []int32, want Logits, sink Sink) error {
	if err := e.checkState(s); err != nil {
		return err
	}
	if err := e.CheckIDs(ids); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for done := 0; done < len(ids); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(e.shape.Chunk-s.pos%e.shape.Chunk, len(ids)-done)
		e.work = job{state: s.block, ids: ids[done : done+n]}
		e.team.Run(e.chunk)
		s.pos += n
		first := done
		done += n
		if err := e.deliver(first, n, done == len(ids), want, sink); err != nil {
			return err
		}
	}
	return nil
}

// deliver hands over the wanted logits of the n tokens of the chunk that
// began at token first.
func (e *Engine) deliver(first, n int, last bool, want Logits, sink Sink) error {
	switch {
	case want == AllLogits:
		return e.deliverRows(first, 0, n, sink)
	case want == LastLogits && last:
		return e.deliverRows(first, n-1, n, sink)
	}
	return nil
}

// deliverRows passes rows [row, end) of the chunk on in blocks.
func (e *Engine) deliverRows(first, row, end int, sink Sink) error {
	for row < end {
		rows := min(e.shape.LogitBlock, end-row)
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
