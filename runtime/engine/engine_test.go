package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/parallel"
)

const vocab = 101

var background = context.Background()

func newEngine(t testing.TB, threads int) *engine.Engine {
	t.Helper()
	e, err := engine.New(enginetest.Compiled(vocab), []byte("weights"), engine.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func someIDs(n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(i*i*7+3) % vocab
	}
	return ids
}

// decodeAll is the logits after every id, by steps.
func decodeAll(t testing.TB, e *engine.Engine, s *engine.State, ids []int32) [][]float32 {
	t.Helper()
	var rows [][]float32
	for _, id := range ids {
		row := e.NewLogits()
		if err := e.Decode(background, []*engine.State{s}, []int32{id}, [][]float32{row}); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func prefillAll(t testing.TB, e *engine.Engine, s *engine.State, ids []int32) [][]float32 {
	t.Helper()
	var rows [][]float32
	err := e.Prefill(background, s, ids, engine.AllLogits, func(i int, logits []float32) error {
		if i != len(rows) {
			t.Fatalf("row %d, want %d", i, len(rows))
		}
		rows = append(rows, slices.Clone(logits))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func requireEqualRows(t *testing.T, got, want [][]float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Fatalf("row %d differs", i)
		}
	}
}

func TestPrefillEqualsDecode(t *testing.T) {
	ids := someIDs(61)
	want := decodeAll(t, newEngine(t, 1), newEngine(t, 1).NewState(), ids)
	for threads := 1; threads <= 4; threads++ {
		e := newEngine(t, threads)
		requireEqualRows(t, decodeAll(t, e, e.NewState(), ids), want)
		for _, split := range []int{0, 1, 5, 16, 40} {
			s := e.NewState()
			rows := prefillAll(t, e, s, ids[:split])
			rows = append(rows, prefillAll(t, e, s, ids[split:])...)
			requireEqualRows(t, rows, want)
			if s.Pos() != len(ids) {
				t.Errorf("position %d, want %d", s.Pos(), len(ids))
			}
		}
	}
}

func TestPrefillModes(t *testing.T) {
	e, ids := newEngine(t, 2), someIDs(40)
	want := prefillAll(t, e, e.NewState(), ids)
	calls := 0
	err := e.Prefill(background, e.NewState(), ids, engine.LastLogits, func(i int, logits []float32) error {
		calls++
		if i != 39 || !slices.Equal(logits, want[39]) {
			t.Errorf("row %d differs from the last", i)
		}
		return nil
	})
	if err != nil || calls != 1 {
		t.Errorf("error %v, %d calls, want 1", err, calls)
	}
	s := e.NewState()
	if err := e.Prefill(background, s, ids[:39], engine.NoLogits, nil); err != nil {
		t.Fatal(err)
	}
	requireEqualRows(t, decodeAll(t, e, s, ids[39:]), want[39:])
}

func TestStatesAreIndependent(t *testing.T) {
	e, ids := newEngine(t, 2), someIDs(10)
	s := e.NewState()
	prefillAll(t, e, s, ids)
	c := s.Clone()
	want := decodeAll(t, e, s, ids)
	requireEqualRows(t, decodeAll(t, e, c, ids), want)
	c.Reset()
	if c.Pos() != 0 || c.Bytes() == 0 {
		t.Errorf("after Reset: position %d, %d bytes", c.Pos(), c.Bytes())
	}
	requireEqualRows(t, decodeAll(t, e, c, ids), prefillAll(t, e, e.NewState(), ids))
}

func TestBatchEqualsSequences(t *testing.T) {
	e := newEngine(t, 2)
	for _, batch := range []int{1, 2, 3, 5, 6, 8, 16} { // 5 share a pass
		states, logits := make([]*engine.State, batch), make([][]float32, batch)
		var want [][]float32
		for i := range states {
			states[i], logits[i] = e.NewState(), make([]float32, vocab) // no room for padding
			prefillAll(t, e, states[i], someIDs(i+1))
			want = append(want, decodeAll(t, e, states[i].Clone(), []int32{int32(i)})...)
		}
		if err := e.Decode(background, states, someRange(batch), logits); err != nil {
			t.Fatal(err)
		}
		requireEqualRows(t, logits, want)
		for i, s := range states {
			if s.Pos() != i+2 {
				t.Errorf("sequence %d of %d is at position %d, want %d", i, batch, s.Pos(), i+2)
			}
		}
	}
}

// TestBatchWithoutSomeLogits: rows that nobody wants stay nil, and change
// nothing of the others, wherever they are.
func TestBatchWithoutSomeLogits(t *testing.T) {
	e := newEngine(t, 2)
	const batch = 4
	for wanted := range 1 << batch {
		states, logits := make([]*engine.State, batch), make([][]float32, batch)
		want := make([][]float32, batch)
		for i := range states {
			states[i] = e.NewState()
			if wanted>>i&1 == 1 {
				logits[i] = e.NewLogits()
				want[i] = decodeAll(t, e, e.NewState(), []int32{int32(i)})[0]
			}
		}
		if err := e.Decode(background, states, someRange(batch), logits); err != nil {
			t.Fatal(err)
		}
		requireEqualRows(t, logits, want)
		for i, s := range states {
			if s.Pos() != 1 {
				t.Errorf("sequence %d is at position %d", i, s.Pos())
			}
		}
	}
}

func someRange(n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(i)
	}
	return ids
}

func TestManyGoroutines(t *testing.T) {
	e, ids := newEngine(t, 2), someIDs(30)
	want := prefillAll(t, e, e.NewState(), ids)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			s := e.NewState()
			row := e.NewLogits()
			for i, id := range ids {
				if err := e.Decode(background, []*engine.State{s}, []int32{id}, [][]float32{row}); err != nil {
					t.Error(err)
				}
				if !slices.Equal(row, want[i]) {
					t.Errorf("row %d differs", i)
				}
			}
		})
	}
	wait.Wait()
}

func TestWrongArguments(t *testing.T) {
	e := newEngine(t, 1)
	s, row := e.NewState(), e.NewLogits()
	one := []*engine.State{s}
	for name, err := range map[string]error{
		"id 101":     e.Decode(background, one, []int32{101}, [][]float32{row}),
		"id -1":      e.Prefill(background, s, []int32{1, -1}, engine.NoLogits, nil),
		"as many":    e.Decode(background, one, nil, [][]float32{row}),
		"twice":      e.Decode(background, []*engine.State{s, s}, []int32{1, 1}, [][]float32{nil, nil}),
		"another":    e.Decode(background, []*engine.State{{}}, []int32{1}, [][]float32{row}),
		"have 3":     e.Decode(background, one, []int32{1}, [][]float32{row[:3]}),
		"of another": e.Prefill(background, nil, nil, engine.NoLogits, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one with %q", err, name)
		}
	}
	if s.Pos() != 0 {
		t.Errorf("position %d after refused calls", s.Pos())
	}
}

func TestCancel(t *testing.T) {
	e, ids := newEngine(t, 2), someIDs(64)
	ctx, cancel := context.WithCancel(background)
	s := e.NewState()
	err := e.Prefill(ctx, s, ids, engine.AllLogits, func(i int, _ []float32) error {
		if i == 20 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || s.Pos() != 32 {
		t.Errorf("error %v at position %d, want cancelled after the chunk at 32", err, s.Pos())
	}
	if err := e.Decode(ctx, []*engine.State{s}, ids[:1], [][]float32{nil}); !errors.Is(err, context.Canceled) || s.Pos() != 32 {
		t.Errorf("error %v at position %d", err, s.Pos())
	}
}

// ending is a context that ends after its Err has been asked some times.
type ending struct {
	context.Context
	left int
}

func (c *ending) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelBetweenPasses: sequences that have not had their pass are where
// they were.
func TestCancelBetweenPasses(t *testing.T) {
	e := newEngine(t, 2)
	states := make([]*engine.State, 12)
	for i := range states {
		states[i] = e.NewState()
	}
	const asked = 3 // for the turn, and before each of two passes of 5
	err := e.Decode(&ending{background, asked}, states, someRange(len(states)), make([][]float32, len(states)))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
	for i, s := range states {
		if want := map[bool]int{true: 1, false: 0}[i < 10]; s.Pos() != want {
			t.Errorf("sequence %d is at position %d, want %d", i, s.Pos(), want)
		}
	}
}

// interrupted cancels in the middle of a chunk and waits until that has
// arrived.
type interrupted struct {
	engine.Program
	cancel func()
}

func (p *interrupted) Prefill(w *parallel.Worker, m *engine.Memory, state *engine.Sequence, ids []int32) {
	if p.cancel == nil {
		p.Program.Prefill(w, m, state, ids)
		return
	}
	p.Program.Prefill(w, m, state, ids[:len(ids)/2])
	if w.ID == 0 {
		p.cancel()
	}
	for !w.Halted() {
		w.Barrier()
	}
}

// TestCancelWithinChunk: what an interrupted chunk has done is undone, and the
// engine goes on as if it had not been tried.
func TestCancelWithinChunk(t *testing.T) {
	ids := someIDs(60)
	for turn := range 6 {
		threads, before := 1+turn/2, turn%2*20
		c, p := enginetest.Compiled(vocab), &interrupted{}
		open := c.Open
		c.Open = func(level string, weights []byte) (engine.Program, error) {
			var err error
			p.Program, err = open(level, weights)
			return p, err
		}
		e, err := engine.New(c, []byte("weights"), engine.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		s := e.NewState()
		prefillAll(t, e, s, ids[:before])
		ctx, cancel := context.WithCancel(background)
		p.cancel = cancel
		if err := e.Prefill(ctx, s, ids[before:], engine.NoLogits, nil); !errors.Is(err, context.Canceled) || s.Pos() != before {
			t.Errorf("%d threads: error %v at position %d, want cancelled at %d", threads, err, s.Pos(), before)
		}
		p.cancel = nil
		want := prefillAll(t, newEngine(t, 1), newEngine(t, 1).NewState(), ids)
		requireEqualRows(t, prefillAll(t, e, s, ids[before:]), want[before:])
	}
}

// large has a state that is too large to be copied, and cancels before a chunk.
type large struct {
	engine.Program
	cancel func()
}

func (p *large) Shape() engine.Shape {
	s := p.Program.Shape()
	s.State = 7 << 20
	return s
}

func (p *large) Prefill(w *parallel.Worker, m *engine.Memory, state *engine.Sequence, ids []int32) {
	p.cancel()
	p.Program.Prefill(w, m, state, ids)
}

// TestCancelLargeState: a chunk that cannot be undone is finished.
func TestCancelLargeState(t *testing.T) {
	c, p := enginetest.Compiled(vocab), &large{}
	open := c.Open
	c.Open = func(level string, weights []byte) (engine.Program, error) {
		var err error
		p.Program, err = open(level, weights)
		return p, err
	}
	e, err := engine.New(c, []byte("weights"), engine.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.CopiesStates() || !newEngine(t, 1).CopiesStates() {
		t.Error("28 MiB are copied, or little is not")
	}
	ids, s := someIDs(60), e.NewState()
	p.cancel = func() {}
	prefillAll(t, e, s, ids[:20])
	ctx, cancel := context.WithCancel(background)
	p.cancel = cancel
	if err := e.Prefill(ctx, s, ids[20:], engine.NoLogits, nil); !errors.Is(err, context.Canceled) || s.Pos() != 32 {
		t.Errorf("error %v at position %d, want cancelled at the end of the chunk, 32", err, s.Pos())
	}
	p.cancel = func() {}
	want := prefillAll(t, newEngine(t, 1), newEngine(t, 1).NewState(), ids)
	requireEqualRows(t, prefillAll(t, e, s, ids[32:]), want[32:])
}

// sized is a program with a state and an arena of some size.
type sized struct {
	engine.Program
	state, arena int
}

func (p sized) Shape() engine.Shape {
	s := p.Program.Shape()
	s.State, s.Arena = p.state, p.arena
	return s
}

// TestCopiesBesideArena: what a large arena takes is not there for copies.
func TestCopiesBesideArena(t *testing.T) {
	const mib = 1 << 20 / 4
	for _, c := range []struct {
		state, arena int
		want         bool
	}{{24 * mib, mib, true}, {24 * mib, 8 * mib, true}, {24*mib + 1, mib, false}, {24 * mib, 9 * mib, false}, {12 * mib, 32 * mib, true}, {13 * mib, 32 * mib, false}} {
		compiled := enginetest.Compiled(vocab)
		open := compiled.Open
		compiled.Open = func(level string, weights []byte) (engine.Program, error) {
			p, err := open(level, weights)
			return sized{p, c.state, c.arena}, err
		}
		e, err := engine.New(compiled, []byte("weights"), engine.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if e.CopiesStates() != c.want {
			t.Errorf("a state of %d float32 beside an arena of %d: copied %v, want %v", c.state, c.arena, !c.want, c.want)
		}
		e.Close()
	}
}

// TestCancelInQueue: a call that waits for its turn ends with its context.
func TestCancelInQueue(t *testing.T) {
	e, ids := newEngine(t, 1), someIDs(8)
	err := e.Prefill(background, e.NewState(), ids, engine.AllLogits, func(int, []float32) error {
		ctx, cancel := context.WithCancel(background)
		waits := make(chan error)
		go func() { waits <- e.Decode(ctx, []*engine.State{e.NewState()}, ids[:1], [][]float32{nil}) }()
		cancel()
		return <-waits
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
}

func TestClosed(t *testing.T) {
	e := newEngine(t, 2)
	e.Close()
	if err := e.Prefill(background, e.NewState(), someIDs(3), engine.NoLogits, nil); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("prefill of a closed engine: error %v", err)
	}
	if err := e.Decode(background, []*engine.State{e.NewState()}, []int32{1}, [][]float32{nil}); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("decode of a closed engine: error %v", err)
	}
}

func TestSinkErrorEndsPrefill(t *testing.T) {
	e, stop := newEngine(t, 2), errors.New("enough")
	err := e.Prefill(background, e.NewState(), someIDs(40), engine.AllLogits, func(i int, _ []float32) error {
		if i == 7 {
			return stop
		}
		return nil
	})
	if err != stop {
		t.Errorf("error %v, want %v", err, stop)
	}
}

func TestLevels(t *testing.T) {
	c := enginetest.Compiled(vocab)
	open := func(level string) (*engine.Engine, error) {
		return engine.New(c, []byte("weights"), engine.Options{Level: level, Threads: 1})
	}
	e, err := open("")
	if err != nil || e.Level() != "generic" {
		t.Errorf("level %v, error %v", e, err)
	}
	e.Close()
	for level, want := range map[string]string{"fast": "warp drive", "v9": "fast, generic"} {
		if _, err := open(level); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", level, err, want)
		}
	}
	t.Setenv(engine.LevelEnv, "fast")
	if _, err := open(""); err == nil || !strings.Contains(err.Error(), "warp drive") {
		t.Errorf("error %v", err)
	}
	if e, err := open("generic"); err != nil || e.Level() != "generic" {
		t.Errorf("a level by option does not win over the environment: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := engine.New(enginetest.Compiled(vocab), []byte("weights"), engine.Options{Threads: -1}); err == nil {
		t.Error("-1 threads are accepted")
	}
	if _, err := engine.New(enginetest.Compiled(vocab), nil, engine.Options{}); err == nil {
		t.Error("missing weights are accepted")
	}
	e := newEngine(t, 0)
	if e.Threads() < 1 {
		t.Errorf("%d threads", e.Threads())
	}
}

func TestAllocsPerDecodedToken(t *testing.T) {
	for threads := 1; threads <= 2; threads++ {
		for _, batch := range []int{1, 3, 7} {
			e := newEngine(t, threads)
			states, logits := make([]*engine.State, batch), make([][]float32, batch)
			for i := range states {
				states[i], logits[i] = e.NewState(), e.NewLogits()
			}
			ids := someRange(batch)
			if allocs := testing.AllocsPerRun(100, func() {
				if err := e.Decode(background, states, ids, logits); err != nil {
					t.Fatal(err)
				}
			}); allocs != 0 {
				t.Errorf("%d threads: %v allocations per step of %d sequences", threads, allocs, batch)
			}
		}
	}
}
