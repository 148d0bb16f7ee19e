package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/hugepage"
	"github.com/mambac/mambac/runtime/parallel"
)

// ErrClosed is returned for calls after Close.
var ErrClosed = errors.New("the engine is closed")

// Engine executes a compiled model with one team of workers and one arena.
// Any number of goroutines may call it; calls queue, long prefills chunk by
// chunk.
type Engine struct {
	shape   Shape
	level   string
	program Program

	turn    chan struct{} // holds a value while nobody uses what follows
	closed  bool
	mover   *hugepage.Mover // nil for none, or no more
	decodes int

	team     *parallel.Team
	memories []Memory // one per worker
	rows     []float32
	saved    []float32 // the state before the chunk at hand, unless that is fresh
	work     job
	step     func(*parallel.Worker) // bound once: a run allocates nothing
	chunk    func(*parallel.Worker)
	head     func(*parallel.Worker)
}

// job is the arguments of the run in progress.
type job struct {
	state     []float32
	id        int32
	ids       []int32
	row, rows int
	out       []float32 // nil: no logits
}

// Options choose how a model is executed; the zero value is right.
type Options struct {
	Level   string // "" for the best that this processor has
	Threads int    // 0 for the physical cores available
	// Move has weights that are mapped from a file moved into huge pages, in
	// place, while a long text is decoded and where that makes it faster.
	Move bool
}

const maxThreads = 1024

// New binds a compiled model to the weights section of its payload, which
// must outlive the engine.
func New(c *Compiled, weights []byte, o Options) (*Engine, error) {
	level, err := c.level(o.Level)
	if err != nil {
		return nil, err
	}
	if o.Threads < 0 || o.Threads > maxThreads {
		return nil, fmt.Errorf("%d threads: want 1 to %d, or 0 for one per physical core", o.Threads, maxThreads)
	}
	if o.Threads == 0 {
		o.Threads = cpu.PhysicalCores()
	}
	program, err := c.Open(level, weights)
	if err != nil {
		return nil, err
	}
	e := assemble(program, level, o.Threads)
	if o.Move {
		e.mover = hugepage.New(weights)
	}
	return e, nil
}

func assemble(program Program, level string, threads int) *Engine {
	e := &Engine{shape: program.Shape(), level: level, program: program, turn: make(chan struct{}, 1)}
	e.turn <- struct{}{}
	e.team = parallel.NewTeam(threads)
	arena := aligned(e.shape.Arena)
	for range threads {
		e.memories = append(e.memories, Memory{Arena: arena, Scratch: aligned(e.shape.Scratch)})
	}
	e.step, e.chunk, e.head = e.runStep, e.runChunk, e.runHead
	return e
}

// Shape is the fixed sizes of the program.
func (e *Engine) Shape() Shape { return e.shape }

// Level is the name of the kernels in use.
func (e *Engine) Level() string { return e.level }

// Threads is the number of workers.
func (e *Engine) Threads() int { return e.team.Size() }

// Close ends the workers, after the call that runs. Calls that wait, and later
// ones, return ErrClosed.
func (e *Engine) Close() {
	<-e.turn
	e.closed = true
	e.team.Close()
	e.release()
}

// acquire waits for the workers, first come, first served.
func (e *Engine) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-e.turn:
	}
	if e.closed {
		e.release()
		return ErrClosed
	}
	return nil
}

func (e *Engine) release() { e.turn <- struct{}{} }

// NewLogits makes a row of Vocab logits for Decode, with the room behind it
// that lets Decode write in place.
func (e *Engine) NewLogits() []float32 { return aligned(e.shape.LogitWidth)[:e.shape.Vocab] }

// Decode feeds ids[i] to states[i], each another sequence, and leaves the
// logits that follow it in logits[i], a row of Vocab values from NewLogits or
// nil for none. Nothing happens when an argument is wrong or ctx has ended.
func (e *Engine) Decode(ctx context.Context, states []*State, ids []int32, logits [][]float32) error {
	if err := e.checkBatch(states, ids, logits); err != nil {
		return err
	}
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	e.lookAfter()
	for i, s := range states {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.work = job{state: s.block, id: ids[i], rows: 1, out: e.wide(logits[i])}
		e.team.Run(e.step)
		s.pos++
		if logits[i] != nil && cap(logits[i]) < e.shape.LogitWidth {
			copy(logits[i], e.rows)
		}
	}
	return nil
}

// wide is where the head writes a row that is wanted in dst: dst itself when
// it has room for the padding.
func (e *Engine) wide(dst []float32) []float32 {
	if dst == nil {
		return nil
	}
	if cap(dst) >= e.shape.LogitWidth {
		return dst[:e.shape.LogitWidth]
	}
	return e.block()
}

// block is the rows that logits pass through on their way to a sink.
func (e *Engine) block() []float32 {
	if e.rows == nil {
		e.rows = aligned(e.shape.LogitBlock * e.shape.LogitWidth)
	}
	return e.rows
}

func (e *Engine) runStep(w *parallel.Worker) {
	m := &e.memories[w.ID]
	e.program.Decode(w, m, e.work.state, e.work.id)
	if e.work.out != nil {
		e.program.Logits(w, m, 0, 1, e.work.out)
	}
}

func (e *Engine) runChunk(w *parallel.Worker) {
	e.program.Prefill(w, &e.memories[w.ID], e.work.state, e.work.ids)
}

func (e *Engine) runHead(w *parallel.Worker) {
	e.program.Logits(w, &e.memories[w.ID], e.work.row, e.work.rows, e.work.out)
}

func (e *Engine) checkBatch(states []*State, ids []int32, logits [][]float32) error {
	if len(ids) != len(states) || len(logits) != len(states) {
		return fmt.Errorf("decode of %d sequences: have %d ids and %d rows of logits, want as many", len(states), len(ids), len(logits))
	}
	for i, s := range states {
		if err := e.checkState(s); err != nil {
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

func (e *Engine) checkState(s *State) error {
	if s == nil || len(s.block) != e.shape.State {
		return fmt.Errorf("a state of another model, want %d values; use this engine's NewState", e.shape.State)
	}
	return nil
}

// CheckIDs tells of the first id that the model has no embedding for.
func (e *Engine) CheckIDs(ids []int32) error {
	for i, id := range ids {
		if id < 0 || int(id) >= e.shape.IDs {
			return fmt.Errorf("token %d: id %d is outside the vocabulary of %d", i, id, e.shape.IDs)
		}
	}
	return nil
}
