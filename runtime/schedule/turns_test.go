package schedule

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
)

// TestForksWithoutSlots take the memory of one, however many they are.
func TestForksWithoutSlots(t *testing.T) {
	e := newEngine(t, engine.Options{Context: 100})
	s := start(t, e, Options{Slots: 2})
	ids := prompt(rand.New(rand.NewPCG(1, 5)), 20)
	const texts, want = 6, 4
	r := &Request{IDs: ids, Keep: true}
	var all []*dice
	waiting, held := 0, 0
	for range texts {
		all = append(all, &dice{want: want})
		r.Texts = append(r.Texts, all[len(all)-1].next)
	}
	all[0].hook = func(n int) {
		if n > 0 {
			return
		}
		for _, f := range s.forked { // by the goroutine that they are of
			waiting++
			if f.state != nil || f.logits != nil {
				held++
			}
		}
	}
	ticket := submit(t, s, t.Context(), r)
	<-ticket.Done()
	if waiting != texts-1 || held != 0 {
		t.Errorf("of %d texts that wait, %d hold states, want none of %d", waiting, held, texts-1)
	}
	for i, r := range ticket.Results() {
		if r.Err != nil || !slices.Equal(all[i].ids, alone(t, e, ids, want)) {
			t.Errorf("text %d: %v, %v", i, all[i].ids, r.Err)
		}
		if (r.State != nil) != (i == 0) {
			t.Errorf("the state of text %d is kept: %v", i, r.State != nil)
		}
	}
	if n := ticket.Results()[0].State.Pos(); n != len(ids)+want {
		t.Errorf("the first text has read %d, want %d", n, len(ids)+want)
	}
}

// TestSlotsInTurn: the texts of one request and those of others get slots by turns.
func TestSlotsInTurn(t *testing.T) {
	s := start(t, newEngine(t, engine.Options{}), Options{Slots: 1, Queue: 5})
	running, release := held(t, s)
	defer release()
	order := ""
	begin := func(name string) Next {
		d := &dice{want: 3, hook: func(n int) {
			if n == 0 {
				order += name
			}
		}}
		return d.next
	}
	tickets := []*Ticket{running}
	for _, texts := range [][]Next{{begin("A"), begin("a"), begin("a"), begin("a")}, {begin("B")}, {begin("C")}} {
		tickets = append(tickets, submit(t, s, t.Context(), &Request{IDs: []int32{1}, Texts: texts}))
	}
	release()
	for _, ticket := range tickets {
		<-ticket.Done()
	}
	if want := "AaBaCa"; order != want {
		t.Errorf("texts began in the order %s, want %s", order, want)
	}
}

// TestShortPrompts are read between the chunks of a much longer one, and not after
// all of it; those of like length are read one after the other.
func TestShortPrompts(t *testing.T) {
	e := newEngine(t, engine.Options{})
	s := start(t, e, Options{Slots: 4, Queue: 4})
	running, release := held(t, s)
	defer release()
	random := rand.New(rand.NewPCG(1, 6))
	order := ""
	chunk := e.Shape().Chunk
	var texts []*dice
	var prompts [][]int32
	tickets := []*Ticket{running}
	for _, c := range []struct {
		name   string
		chunks int
	}{{"L", 10}, {"s", 2}, {"M", 9}} {
		d, ids := &dice{want: 7}, prompt(random, c.chunks*chunk)
		texts, prompts = append(texts, d), append(prompts, ids)
		tickets = append(tickets, submit(t, s, t.Context(), &Request{
			IDs: ids, Texts: []Next{d.next}, OnBorder: func(*engine.State) { order += c.name },
		}))
	}
	release()
	for _, ticket := range tickets {
		<-ticket.Done()
	}
	if want := "sLsLLLLLLLLLMMMMMMMMM"; order != want {
		t.Errorf("chunks were read in the order %s, want %s", order, want)
	}
	for i, d := range texts {
		if want := alone(t, e, prompts[i], d.want); !slices.Equal(d.ids, want) {
			t.Errorf("text %d: %v, alone %v", i, d.ids, want)
		}
	}
}
