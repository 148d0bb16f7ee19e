package prefix

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
)

const (
	vocab = 97
	chunk = 16 // of the fake model
	lanes = 8  // of its state
	page  = 4 * engine.PageTokens
)

func newEngine(t testing.TB, c *engine.Compiled) *engine.Engine {
	t.Helper()
	e, err := engine.New(c, []byte("weights"), engine.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func newCache(t testing.TB, o Options) *Cache {
	t.Helper()
	if o.Chunk == 0 {
		o.Chunk = chunk
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

func ids(seed uint64, n int) []int32 {
	r := rand.New(rand.NewPCG(seed, 0))
	list := make([]int32, n)
	for i := range list {
		list[i] = r.Int32N(vocab)
	}
	return list
}

// read does what the scheduler does, and counts the ids that the engine has read.
func read(t testing.TB, e *engine.Engine, text *Text) (state *engine.State, count int) {
	t.Helper()
	state, done := text.Resume()
	if state == nil {
		state = e.NewState()
	}
	all := text.ids[:text.prompt]
	for done < len(all) {
		n := min(chunk-state.Pos()%chunk, len(all)-done)
		if at := text.Pause(state.Pos(), state.Pos()+n); at > 0 {
			n = at - state.Pos()
		}
		if err := e.Prefill(context.Background(), state, all[done:done+n], engine.NoLogits, nil); err != nil {
			t.Fatal(err)
		}
		done, count = done+n, count+n
		text.Border(state)
	}
	return state, count
}

// requireState compares a state with that of a text that is read at once.
func requireState(t testing.TB, e *engine.Engine, have *engine.State, text []int32) {
	t.Helper()
	want := e.NewState()
	if err := e.Prefill(context.Background(), want, text, engine.NoLogits, nil); err != nil {
		t.Fatal(err)
	}
	if have.Pos() != want.Pos() || !slices.Equal(have.Block(), want.Block()) {
		t.Fatalf("at %d the state is another one than at %d", have.Pos(), want.Pos())
	}
}

// requireExact counts what a cache holds in another way.
func requireExact(t testing.TB, c *Cache) {
	t.Helper()
	bytes, states := int64(0), 0
	pages := map[*float32]bool{}
	for at := c.recent.Front(); at != nil; at = at.Next() {
		bytes += overhead
		e := at.Value.(*entry)
		if e.state == nil {
			continue
		}
		states++
		bytes += int64(engine.Held(len(e.state.Block())))
		for p := range e.state.Pages() {
			if !pages[&p[0]] {
				bytes += int64(engine.Held(len(p)))
			}
			pages[&p[0]] = true
		}
	}
	s := c.Stats()
	if s.Bytes != bytes || s.States != states || len(c.entries) != c.recent.Len() || len(c.pages) != len(pages) {
		t.Fatalf("it counts %+v, %d pages; there are %d bytes, %d states, %d pages", s, len(c.pages), bytes, states, len(pages))
	}
	if s.Bytes > c.o.Memory {
		t.Fatalf("%d bytes of %d", s.Bytes, c.o.Memory)
	}
}

// TestBeginnings: what texts share with others is not read again, at the latest
// from the third on, and at least half of it in the second; what was likely is not
// even then. Texts of models that look back likewise.
func TestBeginnings(t *testing.T) {
	for name, compiled := range map[string]*engine.Compiled{
		"recurrent": enginetest.Compiled(vocab), "cache": enginetest.Remembering(vocab, false), "window": enginetest.Remembering(vocab, true),
	} {
		e := newEngine(t, compiled)
		c := newCache(t, Options{Memory: 1 << 20})
		shared := ids(1, 16*11+5) // 11 borders
		counts := []int{}
		for n := range uint64(4) {
			text := slices.Concat(shared, ids(2+n, 60))
			state, count := read(t, e, c.Text(Start{}, text))
			requireState(t, e, state, text)
			counts = append(counts, count)
		}
		if want := []int{241, 241 - 16*8, 241 - 16*11, 241 - 16*11}; !slices.Equal(counts, want) {
			t.Errorf("%s: %v ids were read, want %v", name, counts, want)
		}
		other := ids(7, 16*9+3)
		read(t, e, c.Text(Start{}, slices.Concat(other, ids(8, 100)), len(other)))
		text := c.Text(Start{}, slices.Concat(other, ids(9, 100)), len(other))
		if _, count := read(t, e, text); count != 103 || text.Saved() != 16*9 {
			t.Errorf("%s: of a likely beginning %d ids were read", name, count)
		}
		requireExact(t, c)
		if s := c.Stats(); s.Hits != 4 || s.Misses != 2 || s.Saved != 16*(8+11+11+9) || s.Evictions != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestWhole: of a text that is there again an id is left to be read, as its logits
// are wanted.
func TestWhole(t *testing.T) {
	e := newEngine(t, enginetest.Compiled(vocab))
	c := newCache(t, Options{Memory: 1 << 20})
	for n, want := range map[int]int{80: 16, 81: 1, 96: 16, 15: 15, 16: 16} {
		text := ids(uint64(n), n)
		read(t, e, c.Text(Start{}, text))
		state, count := read(t, e, c.Text(Start{}, text))
		if requireState(t, e, state, text); count != want {
			t.Errorf("of %d ids, %d were read again, want %d", n, count, want)
		}
	}
}

// TestConversation: what was written is not read again, and one state is kept of
// it.
func TestConversation(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	c := newCache(t, Options{Memory: 1 << 20})
	text := ids(1, 40)
	first := c.Text(Start{}, text)
	state, _ := read(t, e, first)
	before := c.Stats().States
	answer := ids(2, 100)
	for n, id := range answer {
		if err := e.Decode(context.Background(), []*engine.State{state}, []int32{id}, [][]float32{nil}); err != nil {
			t.Fatal(err)
		}
		first.Written(answer[:n+1], state)
	}
	if n := c.Stats().States - before; n != 1 {
		t.Errorf("%d states of the answer", n)
	}
	whole := slices.Concat(text, answer, ids(3, 10))
	second := c.Text(Start{}, whole)
	state, count := read(t, e, second)
	requireState(t, e, state, whole)
	if count != 150-128 {
		t.Errorf("%d ids were read", count)
	}
	requireExact(t, c)
}

// TestOwners: nobody has what another one has read, nor what was read behind
// another state, or by another program.
func TestOwners(t *testing.T) {
	e := newEngine(t, enginetest.Compiled(vocab))
	c := newCache(t, Options{Memory: 1 << 20, Model: "a"})
	text := ids(1, 100)
	own := Start{Owner: "me"}
	read(t, e, c.Text(own, text))
	for _, s := range []Start{{}, {Owner: "you"}, {Owner: "me", From: "state"}, {Owner: "me", Position: 16}} {
		if state, _ := c.Text(s, text).Resume(); state != nil {
			t.Errorf("%+v has what %+v has read", s, own)
		}
	}
	if state, _ := c.Text(own, text).Resume(); state == nil {
		t.Error("it is gone")
	}
	a, b := c.Text(own, text), newCache(t, Options{Memory: 1, Model: "b"}).Text(own, text)
	if a.keys[0] == b.keys[0] {
		t.Error("states of two programs have one key")
	}
}

// TestBehindStates: texts go on from states that end at any position.
func TestBehindStates(t *testing.T) {
	e := newEngine(t, enginetest.Compiled(vocab))
	c := newCache(t, Options{Memory: 1 << 20})
	for position := range 40 {
		before, text := ids(1, position), ids(2, 60)
		s := Start{From: "state", Position: position}
		base := e.NewState()
		if err := e.Prefill(context.Background(), base, before, engine.NoLogits, nil); err != nil {
			t.Fatal(err)
		}
		for again := range 2 {
			x := c.Text(s, text)
			if state, n := x.Resume(); again == 1 {
				requireState(t, e, state, slices.Concat(before, text)[:position+n])
				if want := (position+60-1)/16*16 - position; n != want {
					t.Errorf("at %d: %d ids are known, want %d", position, n, want)
				}
			} else if state != nil {
				t.Errorf("at %d there is a state already", position)
			}
			for at, state := position, base.Clone(); again == 0 && at < position+60; {
				next := min(at/16*16+16, position+60)
				if err := e.Prefill(context.Background(), state, text[at-position:next-position], engine.NoLogits, nil); err != nil {
					t.Fatal(err)
				}
				x.Border(state)
				at = next
			}
		}
	}
}

// TestMemory: whatever is kept, exactly as much as is counted, and never more than
// there may be; what was used last is there the longest.
func TestMemory(t *testing.T) {
	for _, compiled := range []*engine.Compiled{enginetest.Compiled(vocab), enginetest.Remembering(vocab, false), enginetest.Remembering(vocab, true)} {
		e := newEngine(t, compiled)
		c := newCache(t, Options{Memory: 20 * (overhead + 4*lanes + page)})
		r := rand.New(rand.NewPCG(1, 1))
		for range 300 {
			text := slices.Concat(ids(r.Uint64N(3), r.IntN(100)), ids(r.Uint64N(1000), r.IntN(100)))
			x := c.Text(Start{Owner: fmt.Sprint(r.IntN(2))}, text, r.IntN(len(text)+1))
			state, _ := read(t, e, x)
			requireState(t, e, state, text)
			if r.IntN(2) == 0 {
				answer := ids(r.Uint64(), r.IntN(50))
				for n, id := range answer {
					if err := e.Decode(context.Background(), []*engine.State{state}, []int32{id}, [][]float32{nil}); err != nil {
						t.Fatal(err)
					}
					x.Written(answer[:n+1], state)
				}
			}
			requireExact(t, c)
		}
		if s := c.Stats(); s.Evictions == 0 || s.Hits == 0 || s.States == 0 {
			t.Errorf("%+v", s)
		}
	}
}

// TestInnerBorders: a longer text is right when what it began with is gone.
func TestInnerBorders(t *testing.T) {
	e := newEngine(t, enginetest.Compiled(vocab))
	c := newCache(t, Options{Memory: 1 << 20})
	text := ids(1, 16*8+1)
	x := c.Text(Start{}, text)
	read(t, e, x)
	for _, k := range x.keys[:7] {
		c.strip(k)
	}
	state, n := c.Text(Start{}, text).Resume()
	if n != 16*8 {
		t.Fatalf("%d ids are known", n)
	}
	requireState(t, e, state, text[:n])
	requireExact(t, c)
}

// TestTooLarge: what has no room is not kept, and costs nothing that is.
func TestTooLarge(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	c := newCache(t, Options{Memory: 6*page + 40*overhead})
	small, large := ids(1, 33), ids(2, 16*40)
	read(t, e, c.Text(Start{}, small))
	held := c.Stats().States
	c.put(Key{1}, func() *engine.State {
		s := e.NewState()
		if err := e.Prefill(context.Background(), s, ids(3, 64*50), engine.NoLogits, nil); err != nil {
			t.Fatal(err)
		}
		return s
	}(), false)
	if s := c.Stats(); s.States != held || s.Evictions != 0 {
		t.Errorf("%+v", s)
	}
	state, _ := read(t, e, c.Text(Start{}, large))
	requireState(t, e, state, large)
	requireExact(t, c)
}

// large is a program with a state that lies in huge pages.
type large struct{ engine.Program }

const largeState = 8 << 20 // bytes

func (p large) Shape() engine.Shape {
	s := p.Program.Shape()
	s.State = largeState / 4
	return s
}

// TestLargeStates: what a state takes beside its values counts, as for large ones that
// may be a quarter more.
func TestLargeStates(t *testing.T) {
	compiled := enginetest.Compiled(vocab)
	open := compiled.Open
	compiled.Open = func(level string, weights []byte) (engine.Program, error) {
		p, err := open(level, weights)
		return large{p}, err
	}
	e := newEngine(t, compiled)
	state := e.NewState()
	takes := int64(engine.Held(largeState / 4))
	if takes < largeState+largeState/4 {
		t.Fatalf("it takes %d bytes", takes)
	}
	for room, want := range map[int64]bool{takes - 1: false, takes: true} {
		c := newCache(t, Options{Memory: overhead + room})
		if kept := c.put(Key{1}, state, false); kept != want || want && c.Stats().Bytes != overhead+takes {
			t.Errorf("with room for %d bytes it is kept: %v; %+v", room, kept, c.Stats())
		}
	}
}

// TestBlocks: blocks are no longer than pages, so that clones share whole ones, and
// the end of a short text is kept only where a chunk ends.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		chunk, ids int
		keep       []int
	}{
		{16, 100, []int{16, 32, 64, 96}}, {512, 100, nil}, {512, 255, nil}, {512, 256, []int{192, 256}}, {512, 700, []int{512, 640}},
		{128, 4096, []int{128, 256, 512, 1024, 2048, 4032, 4096}}, {512, 4100, []int{512, 1024, 2048, 4096}},
	} {
		x := newCache(t, Options{Memory: 1 << 20, Chunk: c.chunk}).Text(Start{}, ids(1, c.ids))
		if x.Resume(); !slices.Equal(x.keep, c.keep) {
			t.Errorf("chunks of %d: of %d ids it keeps %v, want %v", c.chunk, c.ids, x.keep, c.keep)
		}
	}
}
