package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
)

// stepAll is the logits after every id, by calls of Steps of 1, 2, 3, … ids, the
// first of which, as far as there are several, want no logits.
func stepAll(t *testing.T, e *engine.Engine, s *engine.State, ids []int32) [][]float32 {
	t.Helper()
	room := e.NewRows()
	rows := make([][]float32, len(ids))
	for n, at := 1, 0; at < len(ids); n++ {
		run := ids[at:min(at+1+n%e.MaxSteps(), len(ids))]
		first := n % len(run)
		if err := e.Steps(background, s, run, first, room); err != nil {
			t.Fatal(err)
		}
		for i := range len(run) - first {
			rows[at+first+i] = slices.Clone(room.Row(i))
		}
		at += len(run)
	}
	return rows
}

// TestStepsEqualDecode: across chunks, pages and rings of them, with any number of
// workers.
func TestStepsEqualDecode(t *testing.T) {
	ids := someIDs(700)
	for name, e := range map[string]*engine.Engine{
		"one": newEngine(t, 1), "three": newEngine(t, 3), "pages": remembering(t, false, 0), "ring": remembering(t, true, 0),
	} {
		s := e.NewState()
		want := decodeAll(t, e, e.NewState(), ids)
		for i, row := range stepAll(t, e, s, ids) {
			if row != nil && !slices.Equal(row, want[i]) {
				t.Fatalf("%s: row %d differs", name, i)
			}
		}
		if s.Pos() != len(ids) {
			t.Errorf("%s: position %d, want %d", name, s.Pos(), len(ids))
		}
	}
}

// TestStepsAreTakenBack: what was read in vain leaves nothing, in rings neither.
func TestStepsAreTakenBack(t *testing.T) {
	ids := someIDs(900)
	for _, window := range []bool{false, true} {
		e := remembering(t, window, 0)
		s, room := e.NewState(), e.NewRows()
		want := decodeAll(t, e, e.NewState(), ids)
		for at := range ids {
			saved, wrong := slices.Clone(s.Block()), someIDs(at%e.MaxSteps()+1)
			if err := e.Steps(background, s, wrong, 0, room); err != nil {
				t.Fatal(err)
			}
			copy(s.Block(), saved)
			s.SetPos(at)
			if err := e.Steps(background, s, ids[at:at+1], 0, room); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(room.Row(0), want[at]) {
				t.Fatalf("window %v: row %d differs", window, at)
			}
		}
	}
}

func TestStepsRefuse(t *testing.T) {
	e := remembering(t, false, 70)
	s, room := e.NewState(), e.NewRows()
	ended, cancel := context.WithCancel(background)
	cancel()
	for want, call := range map[string]func() error{
		"0 steps":  func() error { return e.Steps(background, s, nil, 0, room) },
		"6 steps":  func() error { return e.Steps(background, s, someIDs(6), 0, room) },
		"outside":  func() error { return e.Steps(background, s, []int32{1, vocab}, 0, room) },
		"state":    func() error { return e.Steps(background, nil, someIDs(1), 0, room) },
		"canceled": func() error { return e.Steps(ended, s, someIDs(1), 0, room) },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) || s.Pos() != 0 {
			t.Errorf("error %v, want %q; position %d", err, want, s.Pos())
		}
	}
	prefillAll(t, e, s, someIDs(68))
	if err := e.Steps(background, s, someIDs(3), 0, room); !errors.Is(err, engine.ErrContext) || s.Pos() != 68 {
		t.Errorf("beyond the context: %v, position %d", err, s.Pos())
	}
	if err := e.Steps(background, s, someIDs(2), 0, room); err != nil {
		t.Errorf("up to the context: %v", err)
	}
}
