// Package enginetest is a small model written in Go that stands in for a
// compiled one, and feeds compiled models in every way there is; tests import
// it, and it sees runtime only.
package enginetest

import (
	"fmt"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/parallel"
)

const (
	lanes   = 8
	modulus = 65521
	// Favour is added to the logit of the id that follows the last one, so
	// that greedy text counts upwards.
	Favour = 10
)

// Compiled describes a model with the given number of ids. Its levels are
// "fast", which no processor has, and "generic".
func Compiled(vocab int) *engine.Compiled {
	return &engine.Compiled{
		Fingerprint: "test",
		Levels: []engine.Level{
			{Name: "fast", Features: []string{"warp drive"}},
			{Name: "generic"},
		},
		Shape: shape(vocab),
		Open: func(level string, weights []byte) (engine.Program, error) {
			if string(weights) != "weights" {
				return nil, fmt.Errorf("weights section: have %q, want %q", weights, "weights")
			}
			return program{shape(vocab)}, nil
		},
	}
}

func shape(vocab int) engine.Shape {
	const chunk = 16
	return engine.Shape{
		IDs: vocab, Vocab: vocab, State: lanes, Arena: chunk*lanes + lanes, Scratch: lanes,
		Chunk: chunk, Block: 5, LogitWidth: (vocab + 47) / 48 * 48,
	}
}

// program mixes every id into a few lanes, modulo a prime, and hashes lanes
// and output index into logits.
type program struct{ shape engine.Shape }

func (p program) Shape() engine.Shape { return p.shape }

func (p program) Decode(w *parallel.Worker, m *engine.Memory, state *engine.Sequence, id int32) {
	p.step(w, m, state, id, 0, state.Position)
}

func (p program) Batch(w *parallel.Worker, m *engine.Memory, states []*engine.Sequence, ids []int32) {
	for i, state := range states {
		p.step(w, m, state, ids[i], i, state.Position)
	}
}

func (p program) Prefill(w *parallel.Worker, m *engine.Memory, state *engine.Sequence, ids []int32) {
	for i, id := range ids {
		if w.Halted() {
			return
		}
		p.step(w, m, state, id, i, state.Position+i)
	}
	m.HandOut(w, 0, len(ids))
}

// Tapped is Compiled with a tap that is the ids, as numbers.
func Tapped(vocab int) *engine.Compiled {
	c := Compiled(vocab)
	c.Taps = []engine.Tap{{Name: "id", Stride: lanes, Width: 1}}
	return c
}

// Reach is how far a program of Remembering looks back.
const Reach = 150

// Remembering is Compiled with a program that keeps every id and looks Reach
// tokens back; with window, in a window of so many tokens and one more.
func Remembering(vocab int, window bool) *engine.Compiled {
	c := Compiled(vocab)
	c.Shape.Caches = []engine.Cache{{Page: engine.PageTokens}}
	if window {
		c.Shape.Caches[0].Window = Reach + 1
	}
	open := c.Open
	c.Open = func(level string, weights []byte) (engine.Program, error) {
		if _, err := open(level, weights); err != nil {
			return nil, err
		}
		return program{c.Shape}, nil
	}
	return c
}

// remember keeps an id, if the program has room for it, and gives the one that
// was kept Reach tokens before.
func (p program) remember(w *parallel.Worker, state *engine.Sequence, id int32, position int) int {
	if len(p.shape.Caches) == 0 {
		return 0
	}
	if w.ID == 0 {
		state.Page(0, position/engine.PageTokens)[position%engine.PageTokens] = float32(id)
	}
	if before := position - Reach; before >= 0 {
		return int(state.Page(0, before/engine.PageTokens)[before%engine.PageTokens])
	}
	return 0
}

// step reads neighbouring lanes, which other workers own: the barriers matter.
func (p program) step(w *parallel.Worker, m *engine.Memory, state *engine.Sequence, id int32, row, position int) {
	lo, hi := w.Split(lanes)
	past := p.remember(w, state, id, position)
	hidden := m.Arena[row*lanes : (row+1)*lanes]
	for j := lo; j < hi; j++ {
		left := int(state.Block[(j+lanes-1)%lanes])
		hidden[j] = float32((int(state.Block[j])*31 + left*7 + int(id) + past + j) % modulus)
	}
	w.Barrier()
	copy(state.Block[lo:hi], hidden[lo:hi])
	if w.ID == 0 {
		hidden[0] = float32(id) // the head needs the last id itself
	}
	w.Barrier()
}

func (p program) Logits(w *parallel.Worker, m *engine.Memory, row, rows int, out []float32) {
	lo, hi := w.Split(p.shape.Vocab)
	for i := range rows {
		hidden := m.Arena[(row+i)*lanes : (row+i+1)*lanes]
		sum := 0
		for _, h := range hidden {
			sum = (sum*17 + int(h)) % modulus
		}
		for v := lo; v < hi; v++ {
			out[i*p.shape.LogitWidth+v] = float32((sum*31+v*7919)%modulus) / modulus
			if v == (int(hidden[0])+1)%p.shape.Vocab {
				out[i*p.shape.LogitWidth+v] += Favour
			}
		}
	}
	w.Barrier()
}
