// Package schedule continues many texts at once with one engine: one goroutine
// owns those that run, and requests join and leave between its steps. It sees
// runtime/engine only.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mambac/mambac/runtime/engine"
)

// Errors that a requester may want to tell apart.
var (
	// ErrQueueFull is returned for a request that would wait behind too many.
	ErrQueueFull = errors.New("too many requests wait; try again later")
	// ErrClosed is the end of requests when the scheduler is closed.
	ErrClosed = errors.New("the scheduler is closed")
)

// Options bound what is accepted.
type Options struct {
	Slots int // texts that run at once, at least 1
	Queue int // requests that wait for a place
	// OnStall is told how long texts that go on have waited for a chunk of a prompt
	// to be read, each time. It must not wait for anything; nil if nobody asks.
	OnStall func(time.Duration)
}

// Scheduler continues texts. A turn of it reads one chunk of a prompt, and then one
// token of every text that goes on: a long prompt delays the others by a chunk a
// token. Prompts are read in the order of their requests, but every other chunk is of
// one that has much less left than the oldest, if there is one. What a text becomes
// depends on nothing else that runs.
type Scheduler struct {
	engine *engine.Engine
	o      Options
	work   chan struct{} // holds a value when there may be something to do
	ended  chan struct{} // closed when the loop has ended
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	waiting []*Ticket
	running int // slots in use
	refuses bool

	loop
}

// Next is told the logits that follow a text, valid during the call, and says
// which token does, and whether there are more behind it. A negative id ends the
// text before it. It must not wait for anything. Calls for one text follow each
// other, those for several may be made at once.
type Next func(logits []float32) (id int32, more bool)

// Request is a text to be read, and how it goes on.
type Request struct {
	// State is what has been read before, nil for nothing: the scheduler's until
	// the request is done. Logits follow it; they are needed if there is nothing to
	// read.
	State  *engine.State
	Logits []float32
	IDs    []int32 // to be read
	// Texts has a function for each text that begins with what was read; none if
	// reading is all.
	Texts []Next
	// Keep has the state at the end of the first text given back, or of the reading,
	// after the last token has been read too.
	Keep bool

	// Resume is asked when the reading begins, or the text if there is nothing to
	// read: for a state in place of State, and how many of IDs, not all, it has read
	// beyond that. Nil if there is none to be had.
	Resume func() (state *engine.State, read int)
	// Pause tells of the first position behind one, up to another, where OnBorder
	// wants the state although no chunk may end there; 0 for none.
	Pause func(position, end int) int

	// OnLogits is told the logits behind each of IDs, OnBorder the state where a
	// chunk of them ends or Pause says so, and OnWritten that of a text with each
	// token that it has read of itself: as it is, to be cloned. Nil if they are not
	// wanted; all of these are called as Next is.
	OnLogits  func(i int, logits []float32)
	OnBorder  func(state *engine.State)
	OnWritten func(text int, state *engine.State)
}

// Result is what became of a text.
type Result struct {
	State  *engine.State // of the first text, with Keep and without error
	Logits []float32     // that follow it
	Err    error
}

// PanicError is the end of a request whose function panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error.
func (e *PanicError) Error() string { return fmt.Sprintf("BUG: panic: %v", e.Value) }

// Ticket stands for a request that was accepted.
type Ticket struct {
	ctx     context.Context
	request *Request
	results []Result
	left    int           // texts that have not ended
	done    chan struct{} // closed when there are none
	forget  func() bool   // has the end of ctx ignored
}

// Done is closed when all texts of the request have ended.
func (t *Ticket) Done() <-chan struct{} { return t.done }

// Results has what became of each text, or of the reading if there are none,
// once Done is closed.
func (t *Ticket) Results() []Result { return t.results }

// New starts a scheduler, which must be closed before its engine.
func New(e *engine.Engine, o Options) *Scheduler {
	s := &Scheduler{engine: e, o: o, work: make(chan struct{}, 1), ended: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s
}

// Submit has a request run, until ctx ends: within a step, its texts end with
// the cause of that. It does not wait.
func (s *Scheduler) Submit(ctx context.Context, r *Request) (*Ticket, error) {
	if err := s.check(r); err != nil {
		return nil, err
	}
	n := max(1, len(r.Texts))
	t := &Ticket{ctx: ctx, request: r, results: make([]Result, n), left: n, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.refuses:
		return nil, ErrClosed
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case len(s.waiting) >= s.o.Queue+max(0, s.o.Slots-s.running):
		return nil, ErrQueueFull
	}
	t.forget = context.AfterFunc(ctx, func() { s.abandon(t) })
	s.waiting = append(s.waiting, t)
	s.wake()
	return t, nil
}

func (s *Scheduler) check(r *Request) error {
	if len(r.IDs) == 0 && r.Logits == nil {
		return errors.New("nothing to continue: want ids, or the logits that follow a state")
	}
	if n := s.engine.Shape().Vocab; r.Logits != nil && len(r.Logits) != n {
		return fmt.Errorf("a state is followed by %d logits, want %d", len(r.Logits), n)
	}
	return s.engine.CheckIDs(r.IDs)
}

// wake has the loop look for work.
func (s *Scheduler) wake() {
	select {
	case s.work <- struct{}{}:
	default:
	}
}

// abandon takes a request off the queue whose context has ended; one that runs
// is left to the loop.
func (s *Scheduler) abandon(t *Ticket) {
	s.mu.Lock()
	at := slices.Index(s.waiting, t)
	if at >= 0 {
		s.waiting = slices.Delete(s.waiting, at, at+1)
	}
	s.mu.Unlock()
	if at >= 0 {
		t.fail(context.Cause(t.ctx))
	}
	s.wake() // it may have been the last, before the end
}

// fail ends a request that waits.
func (t *Ticket) fail(err error) {
	t.fill(Result{Err: err})
	close(t.done)
}

// fill gives all texts of a request one end.
func (t *Ticket) fill(r Result) {
	for i := range t.results {
		t.results[i] = r
	}
	t.left = 0
}

// Stats is how many texts run, and how many requests wait.
type Stats struct{ Running, Waiting int }

// Stats counts what there is at the moment.
func (s *Scheduler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{s.running, len(s.waiting)}
}

// Shutdown accepts no more requests, waits for those that there are, and ends
// them with ErrClosed when ctx ends.
func (s *Scheduler) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.refuses = true
	s.mu.Unlock()
	s.wake()
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
	}
	s.cancel()
	<-s.ended
	return context.Cause(ctx)
}

// Close ends all requests with ErrClosed.
func (s *Scheduler) Close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.Shutdown(ctx) // the error of ctx
}
