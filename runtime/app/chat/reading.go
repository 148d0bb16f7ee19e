package chat

import (
	"context"
	"slices"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/snapshot"
)

// reading is what the model has read of a conversation.
type reading struct {
	engine *engine.Engine
	base   *point // where the conversation begins: nothing, or what a file holds
	ids    []int32
	state  *engine.State
	logits []float32 // that follow; nil while they are not known
	points []*point  // in ascending order
	row    []float32 // that logits are written to
}

// point is the reading when it had so many ids; it is not changed any more.
type point struct {
	ids int
	snapshot.Snapshot
}

// bytes is what a point takes.
func (p *point) bytes() int { return p.State.Held() + 4*len(p.Logits) }

// keptBytes bounds the points that are kept; states are small, but for caches of
// long conversations.
const keptBytes = 256 << 20

func newReading(e *engine.Engine, base *snapshot.Snapshot) reading {
	r := reading{engine: e, base: &point{Snapshot: *base}, row: e.NewLogits()}
	r.back(0)
	return r
}

// behind reports whether the conversation does not begin with its first message.
func (r *reading) behind() bool { return r.base.State.Pos() > 0 }

// fork is a reading that goes on by itself.
func (r *reading) fork() reading {
	f := *r
	f.ids, f.points, f.row = slices.Clone(r.ids), slices.Clone(r.points), r.engine.NewLogits()
	f.state, f.logits = r.state.Clone(), slices.Clone(r.logits)
	return f
}

// follow makes the reading that of a text: what both begin with is not read again,
// as far as a point is kept. It returns how many ids that spared. After an error,
// part of the text has been read.
func (r *reading) follow(ctx context.Context, ids []int32) (spared int, err error) {
	same := common(r.ids, ids)
	if same < len(r.ids) || same == len(ids) && r.logits == nil {
		r.back(same)
	}
	spared = len(r.ids)
	rest := ids[spared:]
	if len(rest) == 0 {
		return spared, nil
	}
	before := r.state.Pos()
	r.logits = nil
	err = r.engine.Prefill(ctx, r.state, rest, engine.LastLogits, func(_ int, logits []float32) error {
		copy(r.row, logits)
		return nil
	})
	r.ids = append(r.ids, rest[:r.state.Pos()-before]...)
	if err == nil {
		r.logits = r.row
	}
	return spared, err
}

// common is how many ids two texts begin with alike.
func common(a, b []int32) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// back goes to the last point that has at most n ids.
func (r *reading) back(n int) {
	r.points = slices.DeleteFunc(r.points, func(p *point) bool { return p.ids > n })
	from := r.base
	if last := len(r.points) - 1; last >= 0 {
		from = r.points[last]
	}
	r.ids = r.ids[:from.ids]
	r.state, r.logits = from.State.Clone(), from.Logits
}

// step reads one id that the model has written.
func (r *reading) step(ctx context.Context, id int32) error {
	if err := r.engine.Decode(ctx, []*engine.State{r.state}, []int32{id}, [][]float32{r.row}); err != nil {
		return err
	}
	r.ids, r.logits = append(r.ids, id), r.row
	return nil
}

// keep makes a point of the reading as it is, at the border of a message.
func (r *reading) keep() {
	n := len(r.points)
	if r.logits == nil || n > 0 && r.points[n-1].ids == len(r.ids) {
		return
	}
	r.points = append(r.points, &point{len(r.ids), snapshot.Snapshot{State: r.state.Clone(), Logits: slices.Clone(r.logits)}})
	r.trim(keptBytes)
}

// trim lets go of the oldest points, until all take no more than most.
func (r *reading) trim(most int) {
	for total := r.kept(); total > most && len(r.points) > 1; {
		total -= r.points[0].bytes()
		r.points = slices.Delete(r.points, 0, 1)
	}
}

// kept is what all points take.
func (r *reading) kept() int {
	n := 0
	for _, p := range r.points {
		n += p.bytes()
	}
	return n
}

// snapshot is the reading as a file has it.
func (r *reading) snapshot() *snapshot.Snapshot {
	s := &snapshot.Snapshot{State: r.state, Logits: r.logits, Text: r.base.Text, Seen: slices.Clone(r.base.Seen)}
	s.Note(r.ids...)
	return s
}
