package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
)

// TestPrefillTaps hands out what was computed, until the sink has had enough,
// and nothing in an ordinary prefill.
func TestPrefillTaps(t *testing.T) {
	ids := make([]int32, 40)
	for i := range ids {
		ids[i] = int32(i)
	}
	e, err := engine.New(enginetest.Tapped(50), []byte("weights"), engine.Options{Level: "generic", Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	enough := errors.New("enough")
	next := 0
	sink := func(tap *engine.Tap, i int, values []float32) error {
		if tap.Name != "id" || i != next || values[0] != float32(i) {
			t.Errorf("tap %s of id %d is %v, want %d", tap.Name, i, values, next)
		}
		if next++; next == 30 {
			return enough
		}
		return nil
	}
	s := e.NewState()
	if err := e.PrefillTaps(context.Background(), s, ids, sink); !errors.Is(err, enough) || next != 30 || s.Pos() != 32 {
		t.Errorf("have %v behind %d ids, %d in the state; want the sink's error behind 30, and whole chunks", err, next, s.Pos())
	}
	if err := e.Prefill(context.Background(), e.NewState(), ids, engine.NoLogits, nil); err != nil || next != 30 {
		t.Errorf("a prefill without taps handed out %d (%v)", next-30, err)
	}
}

func TestNoTaps(t *testing.T) {
	e, err := engine.New(enginetest.Compiled(50), []byte("weights"), engine.Options{Level: "generic", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.PrefillTaps(context.Background(), e.NewState(), []int32{1}, nil); err == nil {
		t.Error("a program without taps handed some out")
	}
}
