// Package lookup reads a text faster than id by id: what may follow is looked up
// in the text so far and read ahead, several ids in one pass over the weights. What
// comes of it is what reading id by id gives, to the bit. It sees runtime/engine
// only.
package lookup

import (
	"context"
	"time"

	"github.com/mambac/mambac/runtime/engine"
)

// Reader reads a sequence id by id, and ahead of that where its guide has
// candidates. Once a candidate was wrong, the state is taken back to before the
// pass, and the ids that were right are read again with those of the next pass:
// a few rows more take less time than a pass of their own.
type Reader struct {
	engine *engine.Engine
	state  *engine.State
	guide  *Guide // nil: nothing is read ahead

	// ids are those behind the place to which the state can be taken back: first
	// those of the text, then candidates. The state has read all of them, or none
	// if it was taken back.
	ids   []int32
	text  int // of them, so many are the text's
	read  int // of them, so many has the state read
	first int // whose logits are row 0
	saved []float32
	rows  *engine.Rows

	counts Counts
	clock  func() time.Time

	// Arguments of a step, made once.
	states [1]*engine.State
	logits [1][]float32
}

// Counts tells what was read ahead.
type Counts struct {
	Passes     int // over the weights
	Candidates int
	Accepted   int // candidates that were right
}

// NewReader reads on from where a state stands, which must not be used
// otherwise until Settle.
func NewReader(e *engine.Engine, s *engine.State) *Reader {
	return &Reader{engine: e, state: s, ids: make([]int32, 0, e.MaxSteps()), clock: time.Now, states: [1]*engine.State{s}}
}

// Follow has candidates come from a guide, which is told what is read; nil for
// none.
func (r *Reader) Follow(g *Guide) { r.guide = g }

// Counts is what has been read so far.
func (r *Reader) Counts() Counts { return r.counts }

// Position is the number of ids of the text.
func (r *Reader) Position() int { return r.state.Pos() - r.read + r.text }

// Read reads one id and leaves in logits, a row of the engine's NewLogits, what
// follows it. No more than most ids will come behind it. When ctx has ended, or
// the id is wrong, it is not read.
func (r *Reader) Read(ctx context.Context, id int32, most int, logits []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.text < r.read && r.ids[r.text] == id {
		r.note(id)
		r.text++
		r.counts.Accepted++
		copy(logits, r.rows.Row(r.text-1-r.first))
		return nil
	}
	if err := r.engine.CheckIDs([]int32{id}); err != nil {
		return err
	}
	r.note(id) // candidates follow it; after an error it may be noted twice, which moves guesses only
	return r.pass(ctx, id, most, logits)
}

func (r *Reader) note(id int32) {
	if r.guide != nil {
		r.guide.Note(id)
	}
}

// pass reads an id that was not read ahead, and what may follow it.
func (r *Reader) pass(ctx context.Context, id int32, most int, logits []float32) error {
	r.takeBack()
	again := len(r.ids)
	r.ids = append(r.ids, id)
	if r.guide != nil && r.engine.CheckPosition(r.state.Pos()+r.engine.MaxSteps()) == nil {
		r.ids = r.guide.propose(r.ids, most)
	}
	start := r.clock()
	if err := r.feed(ctx, again, logits); err != nil {
		r.ids = r.ids[:again]
		return err
	}
	if r.guide != nil {
		r.guide.took(len(r.ids), r.clock().Sub(start))
	}
	r.text, r.read, r.first = again+1, len(r.ids), again
	r.counts.Passes++
	r.counts.Candidates += r.read - r.text
	return nil
}

// takeBack leaves in ids those of the text that the state has not read.
func (r *Reader) takeBack() {
	if r.read == r.text { // it has read the text and nothing else
		r.ids = r.ids[:0]
	} else if r.read > 0 {
		copy(r.state.Block(), r.saved)
		r.state.SetPos(r.state.Pos() - r.read)
		r.ids = r.ids[:r.text]
	}
	r.text, r.read = len(r.ids), 0
}

// feed has the state read the ids, of which the first ones are known to be
// followed by the next.
func (r *Reader) feed(ctx context.Context, again int, logits []float32) error {
	if len(r.ids) == 1 {
		r.logits[0] = logits
		return r.engine.Decode(ctx, r.states[:], r.ids, r.logits[:])
	}
	if r.rows == nil {
		r.rows = r.engine.NewRows()
	}
	if again == 0 { // it is there already else
		r.saved = append(r.saved[:0], r.state.Block()...)
	}
	err := r.engine.Steps(ctx, r.state, r.ids, again, r.rows)
	if err == nil {
		copy(logits, r.rows.Row(0))
	}
	return err
}

// Settle has the state read the text and nothing else.
func (r *Reader) Settle(ctx context.Context) error {
	r.takeBack()
	if len(r.ids) == 0 {
		return nil
	}
	if err := r.engine.Steps(ctx, r.state, r.ids, len(r.ids), nil); err != nil {
		return err
	}
	r.read = r.text
	return nil
}
