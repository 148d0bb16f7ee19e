package engine_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
)

// remembering is an engine of a model that keeps something of every token.
func remembering(t testing.TB, window bool, context int) *engine.Engine {
	t.Helper()
	e, err := engine.New(enginetest.Remembering(vocab, window), []byte("weights"), engine.Options{Threads: 2, Context: context})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// TestCachesGrow: over many pages, and around a ring of them, every way of
// feeding gives what steps give; a clone goes on by itself.
func TestCachesGrow(t *testing.T) {
	ids := someIDs(1000)
	all := decodeAll(t, remembering(t, false, 0), remembering(t, false, 0).NewState(), ids)
	for _, window := range []bool{false, true} {
		e := remembering(t, window, 0)
		s := e.NewState()
		rows := prefillAll(t, e, s, ids[:333])
		rows = append(rows, decodeAll(t, e, s, ids[333:500])...)
		clone := s.Clone()
		rows = append(rows, prefillAll(t, e, s, ids[500:])...)
		requireRows(t, rows, all)
		requireRows(t, decodeAll(t, e, clone, ids[500:600]), all[500:600])
	}
}

func requireRows(t *testing.T, have, want [][]float32) {
	t.Helper()
	for i := range want {
		if !slices.Equal(have[i], want[i]) {
			t.Fatalf("row %d differs", i)
		}
	}
}

// TestCacheBytes: a sequence takes pages as its text grows; in a window, no more
// than the window and a chunk take.
func TestCacheBytes(t *testing.T) {
	const page = 4 * engine.PageTokens
	for _, c := range []struct {
		window bool
		tokens int
		pages  int
	}{{false, 0, 0}, {false, 1, 1}, {false, engine.PageTokens, 1}, {false, engine.PageTokens + 1, 2}, {false, 1000, 16}, {true, 1, 1}, {true, 5000, 4}} {
		e := remembering(t, c.window, 0)
		s := e.NewState()
		empty := s.Bytes()
		prefillAll(t, e, s, someIDs(c.tokens))
		if have := (s.Bytes() - empty) / page; have != c.pages {
			t.Errorf("window %v, %d tokens: %d pages, want %d", c.window, c.tokens, have, c.pages)
		}
		s.Reset()
		if s.Bytes() != empty || s.Pos() != 0 {
			t.Errorf("after a reset %d bytes are left, want %d", s.Bytes(), empty)
		}
	}
}

// TestContext: no token goes beyond the bound, and what was read stays.
func TestContext(t *testing.T) {
	const bound = 70
	e := remembering(t, false, bound)
	s := e.NewState()
	var full *engine.ContextError
	if err := e.Prefill(background, s, someIDs(bound+1), engine.NoLogits, nil); !errors.As(err, &full) || full.Position != bound+1 || full.Context != bound {
		t.Fatalf("a prompt of %d tokens: %v", bound+1, err)
	}
	if s.Pos() != 0 {
		t.Errorf("%d tokens were read", s.Pos())
	}
	decodeAll(t, e, s, someIDs(bound))
	if err := e.Decode(background, []*engine.State{s}, []int32{1}, [][]float32{nil}); !errors.As(err, &full) || s.Pos() != bound {
		t.Errorf("token %d: %v, position %d", bound+1, err, s.Pos())
	}
	windowed := remembering(t, true, bound)
	s = windowed.NewState()
	prefillAll(t, windowed, s, someIDs(bound))
	err := windowed.Decode(background, []*engine.State{s}, []int32{1}, [][]float32{nil})
	if !errors.Is(err, engine.ErrContext) || strings.Contains(err.Error(), "costs memory") {
		t.Errorf("token %d in a window: %v", bound+1, err)
	}
}

// TestLongest: a model's own bound holds where none was asked for, and can only
// be lowered.
func TestLongest(t *testing.T) {
	const reason = "as the test says"
	bounded := func(context int) (*engine.Engine, error) {
		return engine.New(enginetest.Remembering(vocab, false), []byte("weights"), engine.Options{
			Threads: 1, Context: context, Longest: engine.Longest{Tokens: 64, Reason: reason},
		})
	}
	for context, want := range map[int]int{0: 64, 10: 10, 64: 64} {
		e, err := bounded(context)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if err := e.CheckPosition(want); err != nil || e.Context() != want {
			t.Errorf("context %d: %d tokens are refused, the bound is %d: %v", context, want, e.Context(), err)
		}
		err = e.CheckPosition(want + 1)
		if !errors.Is(err, engine.ErrContext) || strings.Contains(err.Error(), reason) != (context == 0) {
			t.Errorf("context %d: of %d tokens the error is %v", context, want+1, err)
		}
	}
	if _, err := bounded(65); err == nil || !strings.Contains(err.Error(), "--context 65") || !strings.Contains(err.Error(), reason) {
		t.Errorf("a bound beyond the model's own: error %v", err)
	}
}

// held is the pages of states, each once.
func held(states ...*engine.State) map[*float32]bool {
	pages := map[*float32]bool{}
	for _, s := range states {
		for p := range s.Pages() {
			pages[&p[0]] = true
		}
	}
	return pages
}

// TestClonesSharePages: a clone has pages of its own for what it writes only, in a
// ring as soon as it comes round, and its values stay while others go on.
func TestClonesSharePages(t *testing.T) {
	ids := someIDs(1000)
	for _, c := range []struct {
		window             bool
		tokens, more       int
		one, two, distinct int // pages of each, and of both
	}{
		{false, 128, 0, 2, 2, 2}, {false, 128, 1, 2, 3, 3}, {false, 100, 1, 2, 2, 3}, {false, 640, 100, 10, 12, 12},
		{true, 640, 1, 4, 4, 5}, {true, 630, 1, 4, 4, 5}, {true, 640, 256, 4, 4, 8}, {true, 640, 300, 4, 4, 8},
	} {
		e := remembering(t, c.window, 0)
		s := e.NewState()
		prefillAll(t, e, s, ids[:c.tokens])
		clone := s.Clone()
		want := decodeAll(t, e, s.Clone(), ids[c.tokens:c.tokens+9])
		prefillAll(t, e, clone, ids[c.tokens+1:c.tokens+1+c.more]) // something else
		if one, two, both := len(held(s)), len(held(clone)), len(held(s, clone)); one != c.one || two != c.two || both != c.distinct {
			t.Errorf("%+v: %d and %d pages, %d of both", c, one, two, both)
		}
		requireRows(t, decodeAll(t, e, s, ids[c.tokens:c.tokens+9]), want)
	}
}

// TestClonesAtOnce has clones of one state go on while others are made of it, and
// of those that go on: what is shared is only read.
func TestClonesAtOnce(t *testing.T) {
	ids := someIDs(300)
	for _, window := range []bool{false, true} {
		e := remembering(t, window, 0)
		s := e.NewState()
		prefillAll(t, e, s, ids[:200])
		want := decodeAll(t, e, s.Clone(), ids[200:])
		kept := s.Clone()
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() {
				clone := kept.Clone()
				rows := decodeAll(t, e, clone, ids[200:240])
				again := clone.Clone()
				rows = append(rows, decodeAll(t, e, clone, ids[240:])...)
				requireRows(t, rows, want)
				requireRows(t, decodeAll(t, e, again, ids[240:]), want[40:])
			})
		}
		group.Wait()
	}
}
