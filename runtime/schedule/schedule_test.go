package schedule

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
)

const vocab = 97

func newEngine(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	c := enginetest.Compiled(vocab)
	if o.Context > 0 {
		c = enginetest.Remembering(vocab, false)
	}
	e, err := engine.New(c, []byte("weights"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// start makes a scheduler that is closed before its engine.
func start(t *testing.T, e *engine.Engine, o Options) *Scheduler {
	t.Helper()
	s := New(e, o)
	t.Cleanup(s.Close)
	return s
}

// dice chooses an id by the logits and the ids before: what a text becomes shows
// every bit of them.
type dice struct {
	ids  []int32
	want int
	hook func(n int) // before each id; nil for none
}

func (d *dice) next(logits []float32) (int32, bool) {
	if d.hook != nil {
		d.hook(len(d.ids))
	}
	sum := uint32(len(d.ids))
	for _, v := range logits {
		sum = sum*31 + uint32(v*1e6)
	}
	d.ids = append(d.ids, int32(sum%vocab))
	return d.ids[len(d.ids)-1], len(d.ids) < d.want
}

// alone continues ids without a scheduler.
func alone(t *testing.T, e *engine.Engine, ids []int32, n int) []int32 {
	t.Helper()
	state, row := e.NewState(), e.NewLogits()
	err := e.Prefill(t.Context(), state, ids, engine.LastLogits, func(_ int, logits []float32) error {
		copy(row, logits)
		return nil
	})
	d := dice{want: n}
	for more := true; err == nil && more; {
		var id int32
		if id, more = d.next(row); more {
			err = e.Decode(t.Context(), []*engine.State{state}, []int32{id}, [][]float32{row})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return d.ids
}

func prompt(r *rand.Rand, n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = r.Int32N(vocab)
	}
	return ids
}

func submit(t *testing.T, s *Scheduler, ctx context.Context, r *Request) *Ticket {
	t.Helper()
	ticket, err := s.Submit(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

// result waits for the only one.
func result(t *testing.T, ticket *Ticket) Result {
	t.Helper()
	<-ticket.Done()
	list := ticket.Results()
	if len(list) != 1 {
		t.Fatalf("%d results, want 1", len(list))
	}
	return list[0]
}

var errEnough = errors.New("enough")

// TestTextsAreThoseOfSingleRuns has requests of many lengths arrive at random,
// some of which are cancelled on the way, and compares with undisturbed ones.
func TestTextsAreThoseOfSingleRuns(t *testing.T) {
	e := newEngine(t, engine.Options{Threads: 1})
	s := start(t, newEngine(t, engine.Options{Threads: 2}), Options{Slots: 7, Queue: 1000})
	var group sync.WaitGroup
	for client := range uint64(8) {
		group.Go(func() {
			r := rand.New(rand.NewPCG(client, 1))
			for range 12 {
				d := &dice{want: 1 + r.IntN(40)}
				ids := prompt(r, 1+r.IntN(70))
				ctx, cancel := context.WithCancelCause(t.Context())
				cut := d.want + 1
				if r.IntN(3) == 0 {
					cut = r.IntN(d.want)
					d.hook = func(n int) {
						if n == cut {
							cancel(errEnough)
						}
					}
				}
				for range r.IntN(20) {
					runtime.Gosched()
				}
				ticket, err := s.Submit(ctx, &Request{IDs: ids, Texts: []Next{d.next}})
				if err == nil {
					<-ticket.Done()
				}
				cancel(nil)
				if err != nil {
					t.Error(err)
					return
				}
				got, want := ticket.Results()[0].Err, error(nil)
				if cut < d.want-1 {
					want = errEnough
				}
				if !errors.Is(got, want) {
					t.Errorf("a text of %d ids cut at %d ended with %v", d.want, cut, got)
				}
				if whole := alone(t, e, ids, d.want); !slices.Equal(d.ids, whole[:min(len(whole), cut+1)]) {
					t.Errorf("prompt of %d: %v, alone %v, cut at %d", len(ids), d.ids, whole, cut)
				}
			}
		})
	}
	group.Wait()
	if got := s.Stats(); got != (Stats{}) {
		t.Errorf("in the end there are %+v", got)
	}
}

// TestForks continues one reading in more ways than there are slots.
func TestForks(t *testing.T) {
	e := newEngine(t, engine.Options{})
	s := start(t, e, Options{Slots: 3})
	ids := prompt(rand.New(rand.NewPCG(1, 1)), 40)
	r := &Request{IDs: ids}
	var all []*dice
	for n := range 8 {
		all = append(all, &dice{want: n + 1})
		r.Texts = append(r.Texts, all[n].next)
	}
	borders := []int{}
	r.OnBorder = func(state *engine.State) { borders = append(borders, state.Pos()) }
	ticket := submit(t, s, t.Context(), r)
	<-ticket.Done()
	for n, d := range all {
		if want := alone(t, e, ids, n+1); !slices.Equal(d.ids, want) || ticket.Results()[n].Err != nil {
			t.Errorf("text %d: %v, want %v (%v)", n, d.ids, want, ticket.Results()[n].Err)
		}
	}
	if !slices.Equal(borders, []int{16, 32}) {
		t.Errorf("borders at %v", borders)
	}
}

// TestStates goes on from what was kept, and from a state with nothing to read.
func TestStates(t *testing.T) {
	e := newEngine(t, engine.Options{})
	s := start(t, e, Options{Slots: 3})
	ids := prompt(rand.New(rand.NewPCG(1, 2)), 25)
	rows := 0
	read := result(t, submit(t, s, t.Context(), &Request{IDs: ids, Keep: true, OnLogits: func(i int, _ []float32) {
		if i != rows {
			t.Errorf("logits of %d, want %d", i, rows)
		}
		rows++
	}}))
	if read.Err != nil || read.State.Pos() != len(ids) || rows != len(ids) {
		t.Fatalf("read: %v, %d rows of logits", read.Err, rows)
	}
	first := &dice{want: 5}
	kept := result(t, submit(t, s, t.Context(), &Request{State: read.State, Logits: read.Logits, Texts: []Next{first.next}, Keep: true}))
	if kept.Err != nil || kept.State.Pos() != len(ids)+5 {
		t.Fatal(kept.Err)
	}
	second := &dice{want: 9, ids: slices.Clone(first.ids)}
	if r := result(t, submit(t, s, t.Context(), &Request{State: kept.State, Logits: kept.Logits, Texts: []Next{second.next}})); r.Err != nil || r.State != nil {
		t.Error(r)
	}
	if want := alone(t, e, ids, 9); !slices.Equal(second.ids, want) {
		t.Errorf("in three parts %v, want %v", second.ids, want)
	}
}

// held is a request whose text stops the loop at its first id until released.
func held(t *testing.T, s *Scheduler) (ticket *Ticket, release func()) {
	t.Helper()
	inside, free := make(chan struct{}), make(chan struct{})
	d := &dice{want: 1, hook: func(int) {
		close(inside)
		<-free
	}}
	ticket = submit(t, s, t.Context(), &Request{IDs: []int32{1}, Texts: []Next{d.next}})
	<-inside
	return ticket, sync.OnceFunc(func() { close(free) })
}

func TestQueue(t *testing.T) {
	s := start(t, newEngine(t, engine.Options{}), Options{Slots: 1, Queue: 2})
	running, release := held(t, s)
	defer release()
	order := make(chan int, 3)
	request := func(n int) *Request {
		d := &dice{want: 3, hook: func(i int) {
			if i == 0 {
				order <- n
			}
		}}
		return &Request{IDs: []int32{2}, Texts: []Next{d.next}}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	abandoned := submit(t, s, ctx, request(1))
	second := submit(t, s, t.Context(), request(2))
	if _, err := s.Submit(t.Context(), request(0)); !errors.Is(err, ErrQueueFull) {
		t.Errorf("a third one in a queue of two: %v", err)
	}
	if got := s.Stats(); got != (Stats{Running: 1, Waiting: 2}) {
		t.Errorf("stats %+v", got)
	}
	cancel(errEnough)
	if r := result(t, abandoned); !errors.Is(r.Err, errEnough) { // though the loop is held
		t.Errorf("abandoned: %v", r.Err)
	}
	if _, err := s.Submit(ctx, request(0)); !errors.Is(err, errEnough) {
		t.Errorf("submitted when it had ended: %v", err)
	}
	third := submit(t, s, t.Context(), request(3))
	release()
	for _, ticket := range []*Ticket{running, second, third} {
		if r := result(t, ticket); r.Err != nil {
			t.Error(r.Err)
		}
	}
	if a, b := <-order, <-order; a != 2 || b != 3 {
		t.Errorf("ran in the order %d, %d", a, b)
	}
}

// TestLongPromptDelaysByAChunk: a text that goes on has a token for every chunk
// of a prompt.
func TestLongPromptDelaysByAChunk(t *testing.T) {
	e := newEngine(t, engine.Options{})
	stalls := 0
	s := start(t, e, Options{Slots: 2, Queue: 1, OnStall: func(time.Duration) { stalls++ }})
	running, release := held(t, s)
	defer release()
	tokens := 0
	d := &dice{want: 100, hook: func(int) { tokens++ }}
	var seen []int
	long := &Request{
		IDs:      prompt(rand.New(rand.NewPCG(1, 3)), 10*16),
		OnBorder: func(*engine.State) { seen = append(seen, tokens) },
	}
	short := submit(t, s, t.Context(), &Request{IDs: []int32{5}, Texts: []Next{d.next}})
	tail := submit(t, s, t.Context(), long)
	release()
	for _, ticket := range []*Ticket{running, short, tail} {
		if r := result(t, ticket); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	for i := 1; i < len(seen); i++ {
		if seen[i] != seen[i-1]+1 {
			t.Fatalf("tokens at the borders: %v", seen)
		}
	}
	if len(seen) != 10 || stalls != 10 {
		t.Errorf("%d borders, %d stalls", len(seen), stalls)
	}
}

// TestPanics ends the request whose function panics, and no other.
func TestPanics(t *testing.T) {
	e := newEngine(t, engine.Options{})
	s := start(t, e, Options{Slots: 4})
	boom := func() { panic("boom") }
	ids := prompt(rand.New(rand.NewPCG(1, 4)), 20)
	good := &dice{want: 30}
	ticket := submit(t, s, t.Context(), &Request{IDs: ids, Texts: []Next{good.next}})
	late := &dice{want: 5, hook: func(n int) {
		if n == 2 {
			boom()
		}
	}}
	for name, r := range map[string]*Request{
		"next":   {IDs: ids, Texts: []Next{late.next}},
		"first":  {IDs: ids, Texts: []Next{func([]float32) (int32, bool) { boom(); return 0, true }}},
		"border": {IDs: ids, OnBorder: func(*engine.State) { boom() }},
		"logits": {IDs: ids, OnLogits: func(int, []float32) { boom() }},
	} {
		var p *PanicError
		if r := result(t, submit(t, s, t.Context(), r)); !errors.As(r.Err, &p) || p.Value != "boom" || !strings.Contains(string(p.Stack), "TestPanics") {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
	if r := result(t, ticket); r.Err != nil || !slices.Equal(good.ids, alone(t, e, ids, 30)) {
		t.Errorf("another one: %v, %v", good.ids, r.Err)
	}
}

// TestWrongIDs: what the model cannot read ends one text.
func TestWrongIDs(t *testing.T) {
	s := start(t, newEngine(t, engine.Options{}), Options{Slots: 2})
	for _, r := range []*Request{
		{IDs: []int32{1, vocab}}, {}, {State: s.engine.NewState()}, {Logits: make([]float32, 3)},
	} {
		if _, err := s.Submit(t.Context(), r); err == nil {
			t.Errorf("%+v is accepted", r)
		}
	}
	r := result(t, submit(t, s, t.Context(), &Request{IDs: []int32{1}, Texts: []Next{func([]float32) (int32, bool) { return vocab, true }}}))
	if r.Err == nil || !strings.Contains(r.Err.Error(), "outside the vocabulary") {
		t.Error(r.Err)
	}
	r = result(t, submit(t, s, t.Context(), &Request{IDs: []int32{1}, Texts: []Next{func([]float32) (int32, bool) { return -1, true }}}))
	if r.Err != nil {
		t.Error(r.Err)
	}
}

// TestContextEndsOneText: of those that share a pass, the one whose room is over.
func TestContextEndsOneText(t *testing.T) {
	e := newEngine(t, engine.Options{Context: 50})
	s := start(t, e, Options{Slots: 3})
	long, short := &dice{want: 100}, &dice{want: 30}
	one := submit(t, s, t.Context(), &Request{IDs: []int32{1}, Texts: []Next{long.next}})
	other := submit(t, s, t.Context(), &Request{IDs: []int32{2}, Texts: []Next{short.next}})
	if r := result(t, one); !errors.Is(r.Err, engine.ErrContext) || len(long.ids) != 50 {
		t.Errorf("%v after %d ids", r.Err, len(long.ids))
	}
	if r := result(t, other); r.Err != nil || !slices.Equal(short.ids, alone(t, e, []int32{2}, 30)) {
		t.Error(r.Err)
	}
	if r := result(t, submit(t, s, t.Context(), &Request{IDs: make([]int32, 51)})); !errors.Is(r.Err, engine.ErrContext) {
		t.Error(r.Err)
	}
}

// endless is a text without end; begun is closed at its first id.
func endless() (next Next, begun chan struct{}) {
	begun = make(chan struct{})
	once := sync.OnceFunc(func() { close(begun) })
	return func([]float32) (int32, bool) {
		once()
		return 1, true
	}, begun
}

func TestShutdown(t *testing.T) {
	s := start(t, newEngine(t, engine.Options{}), Options{Slots: 1, Queue: 1})
	running, release := held(t, s)
	d := &dice{want: 20}
	waiting := submit(t, s, t.Context(), &Request{IDs: []int32{1}, Texts: []Next{d.next}})
	done := make(chan error)
	go func() { done <- s.Shutdown(t.Context()) }()
	for {
		if _, err := s.Submit(t.Context(), &Request{IDs: []int32{1}}); errors.Is(err, ErrClosed) {
			break
		}
		runtime.Gosched()
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, ticket := range []*Ticket{running, waiting} {
		if r := result(t, ticket); r.Err != nil {
			t.Error(r.Err)
		}
	}
	if len(d.ids) != d.want {
		t.Errorf("%d ids", len(d.ids))
	}
}

// TestCloseWhileRunning ends what runs and what waits, and leaves no goroutine.
func TestCloseWhileRunning(t *testing.T) {
	e := newEngine(t, engine.Options{})
	before := runtime.NumGoroutine()
	s := New(e, Options{Slots: 2, Queue: 10})
	var tickets []*Ticket
	next, begun := endless()
	for i := range 5 {
		r := &Request{IDs: []int32{1, 2}, Texts: []Next{next}}
		if i == 1 {
			r.Texts = append(r.Texts, next, next) // one more than there are slots
		}
		tickets = append(tickets, submit(t, s, t.Context(), r))
	}
	<-begun
	s.Close()
	s.Close()
	for i, ticket := range tickets {
		<-ticket.Done()
		for _, r := range ticket.Results() {
			if !errors.Is(r.Err, ErrClosed) {
				t.Errorf("request %d: %v", i, r.Err)
			}
		}
	}
	for n := 0; runtime.NumGoroutine() > before; n++ { // what ends takes its time
		if n > 1e6 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}

// TestClosedEngine ends all texts with the engine's error.
func TestClosedEngine(t *testing.T) {
	e := newEngine(t, engine.Options{})
	s := start(t, e, Options{Slots: 2})
	next, begun := endless()
	ticket := submit(t, s, t.Context(), &Request{IDs: []int32{1}, Texts: []Next{next}})
	<-begun
	e.Close()
	if r := result(t, ticket); !errors.Is(r.Err, engine.ErrClosed) {
		t.Error(r.Err)
	}
}

func ExampleScheduler() {
	e, err := engine.New(enginetest.Compiled(vocab), []byte("weights"), engine.Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	s := New(e, Options{Slots: 16, Queue: 256})
	defer s.Close()
	var text []int32
	ticket, err := s.Submit(context.Background(), &Request{IDs: []int32{1, 2, 3}, Texts: []Next{func(logits []float32) (int32, bool) {
		best := int32(slices.Index(logits, slices.Max(logits)))
		text = append(text, best)
		return best, len(text) < 5
	}}})
	if err != nil {
		panic(err)
	}
	<-ticket.Done()
	fmt.Println(text)
	// Output: [4 5 6 7 8]
}

// TestEndOfTheLeft: a text whose request has left just before the scheduler ends has
// one end, which stays what it was.
func TestEndOfTheLeft(t *testing.T) {
	s := start(t, newEngine(t, engine.Options{}), Options{Slots: 3})
	ctx, leave := context.WithCancelCause(t.Context())
	ids := prompt(rand.New(rand.NewPCG(1, 9)), 4)
	left := &Request{IDs: ids, Texts: []Next{(&dice{want: 1000}).next, (&dice{want: 1000}).next}}
	stays := &Request{IDs: ids, Texts: []Next{(&dice{want: 1000}).next}}
	stays.OnBorder = func(*engine.State) {}
	stays.Pause = func(int, int) int { // asked in a turn, behind its sweep and before its step
		leave(errEnough)
		s.cancel()
		return 0
	}
	first := submit(t, s, ctx, left)
	second := submit(t, s, t.Context(), stays)
	<-first.Done()
	<-second.Done()
	<-s.ended
	for i, r := range first.Results() {
		if !errors.Is(r.Err, errEnough) {
			t.Errorf("text %d ended with %v", i, r.Err)
		}
	}
	if first.left != 0 {
		t.Errorf("%d texts are left", first.left)
	}
	if r := result(t, second); !errors.Is(r.Err, ErrClosed) {
		t.Errorf("the other one ended with %v", r.Err)
	}
}
