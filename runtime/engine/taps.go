package engine

import (
	"context"
	"errors"

	"github.com/mambac/mambac/runtime/parallel"
)

// Tap is a value between ids and logits that a program hands out, because it was
// compiled to do so: Width float32 for each token of a chunk, the first at At in
// the arena, the next Stride further on.
type Tap struct {
	Name              string
	Call              int // behind which region, counted from 0
	At, Stride, Width int
}

// TapSink takes what a tap is for ids[i], valid during the call. It must not
// call the engine. Its error ends the prefill.
type TapSink func(tap *Tap, i int, values []float32) error

// Taps lists what PrefillTaps hands out.
func (e *Engine) Taps() []Tap { return e.taps }

// PrefillTaps is Prefill for what lies between ids and logits, in programs that
// were compiled with taps. It costs other prefills nothing.
func (e *Engine) PrefillTaps(ctx context.Context, s *State, ids []int32, sink TapSink) error {
	if len(e.taps) == 0 {
		return errors.New("the program was compiled without taps")
	}
	return e.prefill(ctx, s, ids, wanted{taps: &tapped{engine: e, sink: sink}})
}

// tapped is where the taps of a prefill go.
type tapped struct {
	engine *Engine
	sink   TapSink
	first  int   // of the call's ids in the chunk at hand
	err    error // of the sink, which is not called again
}

// handOut passes on the taps of a region that has just been run.
func (p *tapped) handOut(call, tokens int) {
	for i := range p.engine.taps {
		if t := &p.engine.taps[i]; t.Call == call {
			p.rows(t, tokens)
		}
	}
}

func (p *tapped) rows(t *Tap, tokens int) {
	arena := p.engine.memories[0].Arena
	for i := 0; i < tokens && p.err == nil; i++ {
		at := t.At + i*t.Stride
		p.err = p.sink(t, p.first+i, arena[at:at+t.Width:at+t.Width])
	}
}

// HandOut is called by every worker of a program with taps when a region of a
// prefill has been run. If somebody wants its values, the first worker passes them
// on while the others wait.
func (m *Memory) HandOut(w *parallel.Worker, call, tokens int) {
	if m.taps == nil {
		return
	}
	if w.ID == 0 {
		m.taps.handOut(call, tokens)
	}
	w.Barrier()
}
