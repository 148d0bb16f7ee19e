package schedule

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
)

// TestResume reads on from a state that is asked for when the texts before have
// been read, and from the request's own where there is none.
func TestResume(t *testing.T) {
	e := newEngine(t, engine.Options{})
	s := start(t, e, Options{Slots: 3})
	ids := prompt(rand.New(rand.NewPCG(1, 3)), 75)
	var kept *engine.State
	first, second, third := &dice{want: 5}, &dice{want: 5}, &dice{want: 5}
	rows := 0
	requests := []*Request{
		{IDs: ids, Texts: []Next{first.next}, OnBorder: func(state *engine.State) {
			if state.Pos() == 48 {
				kept = state.Clone()
			}
		}},
		{IDs: ids, Texts: []Next{second.next}, OnLogits: func(i int, _ []float32) { rows++ }, Resume: func() (*engine.State, int) {
			return kept.Clone(), 48
		}},
		{IDs: ids, Texts: []Next{third.next}, Resume: func() (*engine.State, int) { return nil, 0 }},
	}
	var tickets []*Ticket
	for _, r := range requests {
		tickets = append(tickets, submit(t, s, t.Context(), r))
	}
	for i, ticket := range tickets {
		if r := result(t, ticket); r.Err != nil {
			t.Fatalf("request %d: %v", i, r.Err)
		}
	}
	for i, d := range []*dice{first, second, third} {
		if want := alone(t, e, ids, 5); !slices.Equal(d.ids, want) {
			t.Errorf("text %d: %v, want %v", i, d.ids, want)
		}
	}
	if rows != 75-48 {
		t.Errorf("%d ids were read", rows)
	}
	nothing := &dice{want: 5}
	read := result(t, submit(t, s, t.Context(), &Request{IDs: ids, Keep: true}))
	r := result(t, submit(t, s, t.Context(), &Request{Logits: read.Logits, Texts: []Next{nothing.next}, Resume: func() (*engine.State, int) {
		return read.State.Clone(), 0
	}}))
	if r.Err != nil || !slices.Equal(nothing.ids, first.ids) || read.State.Pos() != 75 {
		t.Errorf("with nothing to read: %v, want %v, %v", nothing.ids, first.ids, r.Err)
	}
}

// TestPauses reads up to where the state is wanted, which changes nothing.
func TestPauses(t *testing.T) {
	e := newEngine(t, engine.Options{})
	s := start(t, e, Options{Slots: 2})
	ids := prompt(rand.New(rand.NewPCG(1, 4)), 41)
	wanted := []int{3, 16, 17, 41}
	d := &dice{want: 25}
	var borders []int
	written := map[int]int{} // position → ids chosen until then
	r := result(t, submit(t, s, t.Context(), &Request{
		IDs: ids, Texts: []Next{d.next},
		Pause: func(position, end int) int {
			for _, at := range wanted {
				if at > position && at <= end {
					return at
				}
			}
			return 0
		},
		OnBorder:  func(state *engine.State) { borders = append(borders, state.Pos()) },
		OnWritten: func(_ int, state *engine.State) { written[state.Pos()] = len(d.ids) },
	}))
	if want := alone(t, e, ids, d.want); r.Err != nil || !slices.Equal(d.ids, want) {
		t.Errorf("%v, want %v, %v", d.ids, want, r.Err)
	}
	if want := []int{3, 16, 17, 32, 41}; !slices.Equal(borders, want) {
		t.Errorf("borders at %v, want %v", borders, want)
	}
	for n := 1; n < d.want; n++ { // the last one is not read
		if written[41+n] != n {
			t.Errorf("at %d, %d ids had been chosen, want %d", 41+n, written[41+n], n)
		}
	}
	if len(written) != d.want-1 {
		t.Errorf("%d states of the text", len(written))
	}
}

// TestPanicsBeforeReading end the request that they are of.
func TestPanicsBeforeReading(t *testing.T) {
	s := start(t, newEngine(t, engine.Options{}), Options{Slots: 2})
	for name, r := range map[string]*Request{
		"resume":  {IDs: []int32{1}, Resume: func() (*engine.State, int) { panic("boom") }},
		"state":   {Logits: make([]float32, vocab), Resume: func() (*engine.State, int) { panic("boom") }},
		"pause":   {IDs: []int32{1}, Pause: func(int, int) int { panic("boom") }},
		"written": {IDs: []int32{1}, Texts: []Next{(&dice{want: 3}).next}, OnWritten: func(int, *engine.State) { panic("boom") }},
	} {
		var broken *PanicError
		if got := result(t, submit(t, s, t.Context(), r)); !errors.As(got.Err, &broken) || broken.Value != "boom" {
			t.Errorf("%s: %v", name, got.Err)
		}
	}
	if got := s.Stats(); got != (Stats{}) {
		t.Errorf("in the end there are %+v", got)
	}
}
