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
	taps    []Tap

	turn    chan struct{} // holds a value while nobody uses what follows
	closed  bool
	mover   *hugepage.Mover // nil for none, or no more
	decodes int

	context int    // tokens that a sequence may have; 0 for any number
	bound   string // whose bound that is, in words

	team     *parallel.Team
	memories []Memory // one per worker
	rows     []float32
	saved    []float32   // the state before the chunk at hand, unless that is fresh
	blocks   []*Sequence // the states of the batch at hand
	work     job
	step     func(*parallel.Worker) // bound once: a run allocates nothing
	batch    func(*parallel.Worker)
	chunk    func(*parallel.Worker)
	steps    func(*parallel.Worker)
	head     func(*parallel.Worker)
}

// job is the arguments of the run in progress.
type job struct {
	state     *Sequence
	states    []*Sequence // one per id, instead of state
	ids       []int32
	row, rows int
	out       []float32 // nil: no logits
}

// Options choose how a model is executed; the zero value is right.
type Options struct {
	Level   string // "" for the best that this processor has
	Threads int    // 0 for the physical cores available
	// Context is the number of tokens that a sequence may have; 0 for as many as
	// memory holds. A state of fixed size has no such bound; one that looks back at
	// a window has it, though it stops growing by itself.
	Context int
	// Longest is the bound that the model has of its own, which Context can only
	// lower.
	Longest Longest
	// Move has weights that are mapped from a file moved into huge pages, in
	// place, while a long text is decoded and where that makes it faster.
	Move bool
}

// Longest is the number of tokens up to which a model is computed, and why it is
// not beyond; 0 tokens for any number.
type Longest struct {
	Tokens int
	Reason string
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
	if err := o.checkContext(); err != nil {
		return nil, err
	}
	program, err := c.Open(level, weights)
	if err != nil {
		return nil, err
	}
	e := assemble(program, level, o.Threads)
	e.taps = c.Taps
	e.limit(&o)
	if o.Move {
		e.mover = hugepage.New(weights)
	}
	return e, nil
}

// checkContext tells of a bound that would be beyond the model's own.
func (o *Options) checkContext() error {
	if n := o.Longest.Tokens; n > 0 && o.Context > n {
		return fmt.Errorf("--context %d: the model is computed for texts of up to %d tokens: %s", o.Context, n, o.Longest.Reason)
	}
	return nil
}

// limit takes the bound that was asked for or, where none was, the model's own.
func (e *Engine) limit(o *Options) {
	switch {
	case o.Context > 0 && e.shape.BytesPerToken() > 0:
		e.context, e.bound = o.Context, "of --context; the model keeps something of every token, so a larger bound costs memory"
	case o.Context > 0 && len(e.shape.Caches) > 0:
		e.context, e.bound = o.Context, "of --context"
	case o.Longest.Tokens > 0:
		e.context, e.bound = o.Longest.Tokens, "that the model is computed for: "+o.Longest.Reason
	}
}

func assemble(program Program, level string, threads int) *Engine {
	e := &Engine{shape: program.Shape(), level: level, program: program, turn: make(chan struct{}, 1)}
	e.turn <- struct{}{}
	e.team = parallel.NewTeam(threads)
	arena := aligned(e.shape.Arena)
	for range threads {
		e.memories = append(e.memories, Memory{Arena: arena, Scratch: aligned(e.shape.Scratch)})
	}
	e.blocks = make([]*Sequence, 0, e.shape.Block)
	e.step, e.batch, e.chunk, e.steps, e.head = e.runStep, e.runBatch, e.runChunk, e.runSteps, e.runHead
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

func (e *Engine) runChunk(w *parallel.Worker) {
	e.program.Prefill(w, &e.memories[w.ID], e.work.state, e.work.ids)
}

func (e *Engine) runHead(w *parallel.Worker) {
	e.program.Logits(w, &e.memories[w.ID], e.work.row, e.work.rows, e.work.out)
}

func (e *Engine) checkState(s *State) error {
	if s == nil || len(s.sequence.Block) != e.shape.State {
		return fmt.Errorf("a state of another model, want %d values; use this engine's NewState", e.shape.State)
	}
	return nil
}

// ErrContext is what every ContextError is.
var ErrContext = errors.New("the text is as long as its context may be")

// Is reports whether target is ErrContext.
func (*ContextError) Is(target error) bool { return target == ErrContext }

// ContextError is the end of the room that Options leave a sequence.
type ContextError struct {
	Position, Context int
	bound             string // whose Context is, in words
}

// Error implements error.
func (e *ContextError) Error() string {
	return fmt.Sprintf("the text would have %d tokens, more than the %d %s", e.Position, e.Context, e.bound)
}

// Context is the number of tokens that a sequence may have; 0 for any number.
func (e *Engine) Context() int { return e.context }

// CheckPosition tells of a number of tokens that no sequence may have.
func (e *Engine) CheckPosition(n int) error {
	if e.context > 0 && n > e.context {
		return &ContextError{n, e.context, e.bound}
	}
	if len(e.shape.Caches) > 0 && n > maxPosition {
		return fmt.Errorf("%d tokens are more than the %d that are counted", n, maxPosition)
	}
	return nil
}

// maxPosition bounds the tokens of a sequence: attention counts them in 31 bits.
const maxPosition = 1<<31 - 1

// CheckIDs tells of the first id that the model has no embedding for.
func (e *Engine) CheckIDs(ids []int32) error {
	for i, id := range ids {
		if id < 0 || int(id) >= e.shape.IDs {
			return fmt.Errorf("token %d: id %d is outside the vocabulary of %d", i, id, e.shape.IDs)
		}
	}
	return nil
}
