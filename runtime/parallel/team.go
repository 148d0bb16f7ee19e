// Package parallel runs one program on every worker at once (SPMD), with
// barriers between its phases; it sees nothing of ours.
package parallel

import (
	"fmt"
	"runtime"
	"sync/atomic"
)

// Team is a fixed number of workers. Worker 0 is whoever calls Run; the
// others are goroutines that spin a while between runs and then park.
type Team struct {
	workers []Worker
	body    func(*Worker)
	stop    *atomic.Bool // set to end the run early; nil for none
	halted  bool         // what the last barrier saw of stop
	closed  bool

	start   gate // advanced for every run, and by Close
	barrier gate // advanced by the last to arrive
	finish  gate // advanced by the last to finish

	arrived counter
	pending counter
	broken  atomic.Bool // a worker has panicked in this run
	cause   atomic.Pointer[cause]
}

// counter has a cache line of its own.
type counter struct {
	atomic.Int32
	_ [cacheLine - 4]byte
}

// cause is what a worker panicked with.
type cause struct{ value any }

// aborted unwinds workers whose barrier will never fill.
type aborted struct{}

// Worker is one of Count goroutines that run the same program.
type Worker struct {
	ID, Count int
	team      *Team
}

// NewTeam starts a team of n ≥ 1 workers; Close ends it.
func NewTeam(n int) *Team {
	if n < 1 {
		panic(fmt.Sprintf("BUG: a team of %d workers", n))
	}
	t := &Team{workers: make([]Worker, n)}
	spins := idleSpins
	if runtime.GOMAXPROCS(0) < n {
		spins = 0 // those waited for need this processor
	}
	for _, g := range []*gate{&t.start, &t.barrier, &t.finish} {
		g.init(spins)
	}
	for id := range t.workers {
		t.workers[id] = Worker{ID: id, Count: n, team: t}
	}
	for id := 1; id < n; id++ {
		go t.serve(&t.workers[id], t.start.now())
	}
	return t
}

// Size is the number of workers.
func (t *Team) Size() int { return len(t.workers) }

// Run calls body once on every worker and returns when all have finished. A
// panic of any worker is raised here, after the others have been unwound at
// their next barrier. Nothing is allocated; runs must not overlap.
func (t *Team) Run(body func(*Worker)) { t.RunUntil(nil, body) }

// RunUntil is Run whose workers see, by Halted, that stop was set; it reports
// whether they did. What a halted body has left undone is the caller's to mend.
func (t *Team) RunUntil(stop *atomic.Bool, body func(*Worker)) (halted bool) {
	t.stop, t.halted = stop, false
	if len(t.workers) == 1 {
		body(&t.workers[0])
	} else {
		t.run(body)
	}
	t.stop = nil
	return t.halted
}

func (t *Team) run(body func(*Worker)) {
	t.body = body
	t.pending.Store(int32(len(t.workers)))
	finish := t.finish.now()
	t.start.advance()
	t.work(&t.workers[0])
	t.finish.wait(finish)
	t.body = nil
	if t.broken.Load() {
		t.raise()
	}
}

// raise makes the team whole again and passes the panic on.
func (t *Team) raise() {
	c := t.cause.Swap(nil)
	t.arrived.Store(0)
	t.broken.Store(false)
	panic(c.value)
}

// Close ends the workers; the team must not be running or used again.
func (t *Team) Close() {
	if !t.closed {
		t.closed = true
		t.start.advance()
	}
}

// serve is the life of every worker but the first.
func (t *Team) serve(w *Worker, start uint32) {
	for {
		t.start.wait(start)
		start++
		if t.closed {
			return
		}
		t.work(w)
	}
}

// work runs the body on one worker.
func (t *Team) work(w *Worker) {
	defer t.finished()
	t.body(w)
}

// finished catches a panic, breaks the barrier for the others then, and
// counts the worker out.
func (t *Team) finished() {
	if r := recover(); r != nil {
		t.fail(r)
	}
	if t.pending.Add(-1) == 0 {
		t.finish.advance()
	}
}

func (t *Team) fail(value any) {
	if _, ok := value.(aborted); ok {
		return
	}
	t.cause.CompareAndSwap(nil, &cause{value})
	t.broken.Store(true)
	t.barrier.advance()
}

// Halted reports whether the run is to end early. It changes at barriers only,
// so that all workers see the same.
func (w *Worker) Halted() bool { return w.team.halted }

// look notes whether the run is to end early: on the last worker to arrive at
// a barrier, before the others go on.
func (t *Team) look() { t.halted = t.stop != nil && t.stop.Load() }

// Barrier waits until every worker has arrived.
func (w *Worker) Barrier() {
	t := w.team
	if w.Count == 1 {
		t.look()
		return
	}
	phase := t.barrier.now()
	if t.broken.Load() {
		panic(aborted{})
	}
	if int(t.arrived.Add(1)) == w.Count {
		t.arrived.Store(0)
		t.look()
		t.barrier.advance()
		return
	}
	t.barrier.wait(phase)
	if t.broken.Load() {
		panic(aborted{})
	}
}

// Split divides n units among the workers in ascending order and returns this
// worker's run [lo, hi).
func (w *Worker) Split(n int) (lo, hi int) {
	return n * w.ID / w.Count, n * (w.ID + 1) / w.Count
}
