package schedule

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mambac/mambac/runtime/engine"
)

// loop is what the goroutine of the scheduler alone uses.
type loop struct {
	texts  []*text     // that hold a slot, in the order of their requests
	forked []*text     // that began with others and have none yet
	rows   [][]float32 // of logits, not in use

	forkedLast bool // the last slot went to one of forked
	shortLast  bool // the last chunk was of a prompt before the oldest

	// Arguments of a decode, made once.
	going  []*text
	states []*engine.State
	ids    []int32
	logits [][]float32
}

// text is a text that is read or continued.
type text struct {
	*Ticket
	index  int           // among the request's
	state  *engine.State // nil before the reading begins, or without a slot
	logits []float32     // nil without a slot
	origin *origin       // of one of forked, until it has a slot
	next   Next          // nil if it is only read
	rest   []int32       // of the request's ids, to be read
	id     int32         // that follows, or none
	last   bool          // it is the last
	err    error         // of the function that was asked
	over   bool          // it holds no slot any more
}

// origin is what texts of a request begin with that have no slot yet: however many
// they are, they take the memory of one.
type origin struct {
	state  *engine.State
	logits []float32
}

// none stands for no id.
const none = -1

// goesOn tells of a text whose next id is there.
func (t *text) goesOn() bool { return t.id >= 0 }

// unread tells of a text that has something to be read.
func (t *text) unread() bool { return len(t.rest) > 0 }

// kept tells of a text whose state is wanted at the end.
func (t *text) kept() bool { return t.request.Keep && t.index == 0 }

func (s *Scheduler) run() {
	defer close(s.ended)
	defer s.cancel()
	for s.await() {
		s.turn()
	}
	s.drop()
}

// await waits until there is something to do; false at the end.
func (s *Scheduler) await() bool {
	for s.ctx.Err() == nil {
		s.mu.Lock()
		idle, last := len(s.texts)+len(s.forked)+len(s.waiting) == 0, s.refuses
		s.mu.Unlock()
		if !idle {
			return true
		}
		if last {
			return false
		}
		select {
		case <-s.work:
		case <-s.ctx.Done():
		}
	}
	return false
}

// turn is one step of everything.
func (s *Scheduler) turn() {
	begun := time.Now()
	s.sweep()
	s.admit()
	stalls := slices.ContainsFunc(s.texts, (*text).goesOn) && slices.ContainsFunc(s.texts, (*text).unread)
	s.read()
	if stalls && s.o.OnStall != nil {
		s.o.OnStall(time.Since(begun))
	}
	s.step()
}

// drop ends all that is left.
func (s *Scheduler) drop() {
	s.compact() // a step that was interrupted has left texts that are over
	for _, t := range append(s.texts, s.forked...) {
		s.end(t, ErrClosed)
	}
	s.mu.Lock()
	left := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, t := range left {
		t.forget()
		t.fail(ErrClosed)
	}
}

// sweep ends texts whose context has ended.
func (s *Scheduler) sweep() {
	for _, t := range s.texts {
		s.endIfCancelled(t)
	}
	s.forked = slices.DeleteFunc(s.forked, s.endIfCancelled)
	s.compact()
}

func (s *Scheduler) endIfCancelled(t *text) bool {
	if t.ctx.Err() == nil {
		return false
	}
	s.end(t, context.Cause(t.ctx))
	return true
}

// compact forgets texts that are over.
func (s *Scheduler) compact() {
	s.texts = slices.DeleteFunc(s.texts, func(t *text) bool { return t.over })
	s.mu.Lock()
	s.running = len(s.texts)
	s.mu.Unlock()
}

// admit gives free slots to texts.
func (s *Scheduler) admit() {
	for len(s.texts) < s.o.Slots && s.admitOne() {
	}
	s.compact()
}

// admitOne gives a slot to a text of which all is read or to a request, by turns if
// both wait; false if neither does.
func (s *Scheduler) admitOne() bool {
	if s.forkedLast || len(s.forked) == 0 {
		if t := s.first(); t != nil {
			s.forkedLast = false
			s.begin(t)
			return true
		}
	}
	if len(s.forked) == 0 {
		return false
	}
	s.forkedLast = true
	s.beginForked()
	return true
}

// first takes the first request off the queue. It counts as running at once.
func (s *Scheduler) first() *Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return nil
	}
	t := s.waiting[0]
	s.waiting = slices.Delete(s.waiting, 0, 1)
	s.running++
	return t
}

// begin gives a request a slot.
func (s *Scheduler) begin(ticket *Ticket) {
	r := ticket.request
	t := &text{Ticket: ticket, logits: s.row(), rest: r.IDs, id: none}
	s.texts = append(s.texts, t)
	if len(t.rest) > 0 {
		return
	}
	copy(t.logits, r.Logits)
	if err := s.resume(t); err != nil {
		s.end(t, err)
		return
	}
	s.fork(t)
}

// resume gives a text the state that it begins with, as late as can be: what texts
// before it have left is known then, and texts that wait take no memory.
func (s *Scheduler) resume(t *text) error {
	r := t.request
	t.state = r.State
	if r.Resume != nil {
		var state *engine.State
		read := 0
		if err := guard(func() { state, read = r.Resume() }); err != nil {
			return err
		}
		if state != nil {
			t.state, t.rest = state, r.IDs[read:]
		}
	}
	if t.state == nil {
		t.state = s.engine.NewState()
	}
	return s.engine.CheckPosition(t.state.Pos() + len(t.rest))
}

// row is room for logits.
func (s *Scheduler) row() []float32 {
	n := len(s.rows)
	if n == 0 {
		return s.engine.NewLogits()
	}
	row := s.rows[n-1]
	s.rows = s.rows[:n-1]
	return row
}

// read reads a chunk of a prompt.
func (s *Scheduler) read() {
	t := s.toRead()
	if t == nil {
		return
	}
	if err := s.readOn(t); err != nil {
		s.end(t, err)
	} else if len(t.rest) == 0 {
		s.fork(t)
	}
	s.compact()
}

// muchLess is how many times as much the oldest prompt must have left as one that a
// chunk is read of before it.
const muchLess = 4

// toRead is the text of which to read a chunk: the oldest that is not read yet, but
// every other time one with much less left, if there is one.
func (s *Scheduler) toRead() *text {
	var oldest, shortest *text
	for _, t := range s.texts {
		if !t.unread() {
			continue
		}
		if oldest == nil {
			oldest, shortest = t, t
		}
		if len(t.rest) < len(shortest.rest) {
			shortest = t
		}
	}
	if oldest == nil {
		return nil
	}
	s.shortLast = !s.shortLast && muchLess*len(shortest.rest) < len(oldest.rest)
	if s.shortLast {
		return shortest
	}
	return oldest
}

// readOn reads up to the next border.
func (s *Scheduler) readOn(t *text) error {
	if t.state == nil {
		if err := s.resume(t); err != nil {
			return err
		}
	}
	n, border, err := s.piece(t)
	if err != nil {
		return err
	}
	if err := s.readChunk(t, n); err != nil {
		return err
	}
	t.rest = t.rest[n:]
	if on := t.request.OnBorder; on != nil && border {
		return guard(func() { on(t.state) })
	}
	return nil
}

// piece is how many ids to read at once, and whether a border is behind them.
func (s *Scheduler) piece(t *text) (n int, border bool, err error) {
	chunk, position := s.engine.Shape().Chunk, t.state.Pos()
	n = min(chunk-position%chunk, len(t.rest))
	if pause := t.request.Pause; pause != nil {
		err = guard(func() {
			if at := pause(position, position+n); at > position && at <= position+n {
				n, border = at-position, true
			}
		})
	}
	return n, border || (position+n)%chunk == 0, err
}

func (s *Scheduler) readChunk(t *text, n int) error {
	r := t.request
	done := len(r.IDs) - len(t.rest)
	want := engine.NoLogits
	switch {
	case r.OnLogits != nil:
		want = engine.AllLogits
	case n == len(t.rest):
		want = engine.LastLogits
	}
	err := s.engine.Prefill(t.ctx, t.state, t.rest[:n], want, func(i int, logits []float32) error {
		if done+i == len(r.IDs)-1 {
			copy(t.logits, logits)
		}
		if r.OnLogits == nil {
			return nil
		}
		return guard(func() { r.OnLogits(done+i, logits) })
	})
	if err != nil && t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	return err
}

// fork has the texts of a request begin, of which all has been read.
func (s *Scheduler) fork(t *text) {
	next := t.request.Texts
	if len(next) == 0 {
		s.end(t, nil)
		return
	}
	if len(next) > 1 {
		o := &origin{state: t.state.Clone(), logits: s.row()}
		copy(o.logits, t.logits)
		for i := 1; i < len(next); i++ {
			s.forked = append(s.forked, &text{Ticket: t.Ticket, index: i, origin: o, next: next[i], id: none})
		}
	}
	t.next = next[0]
	s.choose(t)
}

// beginForked gives a slot to the first text that has none. The last one of a
// request takes what the others have cloned.
func (s *Scheduler) beginForked() {
	t := s.forked[0]
	s.forked = slices.Delete(s.forked, 0, 1)
	t.state, t.logits = t.origin.state, t.origin.logits
	if t.index < len(t.request.Texts)-1 {
		t.state, t.logits = t.state.Clone(), s.row()
		copy(t.logits, t.origin.logits)
	}
	t.origin = nil
	s.texts = append(s.texts, t)
	s.choose(t)
}

// choose asks what follows a text.
func (s *Scheduler) choose(t *text) {
	t.ask()
	s.settle(t)
}

// ask leaves the answer with the text: several may be asked at once.
func (t *text) ask() {
	t.id, t.last = none, true
	t.err = guard(func() {
		id, more := t.next(t.logits)
		t.id, t.last = id, !more
	})
}

// settle ends a text that does not go on.
func (s *Scheduler) settle(t *text) {
	if t.err == nil && t.id >= 0 {
		t.err = s.engine.CheckIDs([]int32{t.id})
	}
	if t.err != nil || t.id < 0 || t.last && !t.kept() {
		s.end(t, t.err)
	}
}

// step reads one token of every text that goes on, and asks for the next.
func (s *Scheduler) step() {
	s.gather()
	if len(s.going) > 0 {
		err := s.engine.Decode(s.ctx, s.states, s.ids, s.logits)
		if s.ctx.Err() != nil {
			return
		}
		s.advance(err)
	}
	s.compact()
}

// gather lists the texts that go on.
func (s *Scheduler) gather() {
	s.going, s.states, s.ids, s.logits = s.going[:0], s.states[:0], s.ids[:0], s.logits[:0]
	for _, t := range s.texts {
		if !t.goesOn() || s.endIfCancelled(t) {
			continue
		}
		if err := s.engine.CheckPosition(t.state.Pos() + 1); err != nil {
			s.end(t, err)
			continue
		}
		s.going, s.states, s.ids, s.logits = append(s.going, t), append(s.states, t.state), append(s.ids, t.id), append(s.logits, t.logits)
	}
}

// advance asks what follows the texts that went on, but for those that have had
// their last token. Choosing among many ids takes time, which cores share while
// the engine's workers have nothing to do.
func (s *Scheduler) advance(err error) {
	for _, t := range s.going {
		t.id = none
		failed := err
		if on := t.request.OnWritten; on != nil && failed == nil {
			failed = guard(func() { on(t.index, t.state) })
		}
		if failed != nil || t.last {
			s.end(t, failed)
		}
	}
	s.going = slices.DeleteFunc(s.going, func(t *text) bool { return t.over })
	s.askAll()
	for _, t := range s.going {
		s.settle(t)
	}
}

func (s *Scheduler) askAll() {
	var at atomic.Int64
	var group sync.WaitGroup
	work := func() {
		for i := at.Add(1) - 1; i < int64(len(s.going)); i = at.Add(1) - 1 {
			s.going[i].ask()
		}
	}
	for range min(s.engine.Threads(), len(s.going)) - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
}

// end takes the slot from a text and tells what became of it. Before texts begin,
// it is all of a request.
func (s *Scheduler) end(t *text, err error) {
	t.over = true
	result := Result{Err: err}
	if err == nil && t.kept() {
		result.State, result.Logits = t.state, t.logits
	} else if t.logits != nil && len(s.rows) < s.o.Slots {
		s.rows = append(s.rows, t.logits)
	}
	t.results[t.index] = result
	if t.left--; t.next == nil {
		t.fill(result)
	}
	if t.left == 0 {
		t.forget()
		close(t.done)
	}
}

// guard turns a panic of a requester's function into an error.
func guard(call func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, debug.Stack()}
		}
	}()
	call()
	return nil
}
