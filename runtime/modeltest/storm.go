// Package modeltest puts opened models to use in ways that are hard to get
// right; tests import it, and it sees runtime only.
package modeltest

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/model"
)

// Storm has goroutines play sessions of one model, all at once, with calls
// that are interrupted, forks, saves and restores at random. Every session
// must come out as one that a second model of a single worker has read id by
// id, alone and undisturbed; and when the models are closed, no goroutine may
// be left.
func Storm(t *testing.T, open func(...model.Option) (*model.Model, error), goroutines, sessions int) {
	t.Helper()
	before := runtime.NumGoroutine()
	shared, alone := mustOpen(t, open, model.Threads(2)), mustOpen(t, open, model.Threads(1))
	var players, reader sync.WaitGroup
	played := make(chan match, goroutines)
	for g := range goroutines {
		players.Go(func() {
			for n := range sessions {
				m := match{goroutine: g, session: n}
				m.outcome, m.err = play(&rough{model: shared}, m.script(shared))
				played <- m
			}
		})
	}
	reader.Go(func() {
		for m := range played {
			m.check(t, alone)
		}
	})
	players.Wait()
	close(played)
	reader.Wait()
	for _, m := range []*model.Model{shared, alone} {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	awaitGoroutines(t, before)
}

func mustOpen(t *testing.T, open func(...model.Option) (*model.Model, error), o model.Option) *model.Model {
	t.Helper()
	m, err := open(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// match is one session of the storm and what came out of it.
type match struct {
	goroutine, session int
	outcome            outcome
	err                error
}

// script is the same for every player of a session.
func (m *match) script(of *model.Model) []action {
	return newScript(rand.New(rand.NewPCG(uint64(m.goroutine), uint64(m.session))), of)
}

// check plays the session again, undisturbed.
func (m *match) check(t *testing.T, alone *model.Model) {
	if m.err != nil {
		t.Errorf("goroutine %d, session %d: %v", m.goroutine, m.session, m.err)
		return
	}
	want, err := play(&plain{alone}, m.script(alone))
	if err != nil {
		t.Errorf("goroutine %d, session %d alone: %v", m.goroutine, m.session, err)
	} else if m.outcome != want {
		t.Errorf("goroutine %d, session %d: comes out as\n%+v, want\n%+v", m.goroutine, m.session, m.outcome, want)
	}
}

// awaitGoroutines returns when no more goroutines exist than before: those
// that were told to end are given the processor to do so.
func awaitGoroutines(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
