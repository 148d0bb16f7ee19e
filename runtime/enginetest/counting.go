package enginetest

import (
	"sync/atomic"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/parallel"
)

// Counting is a model whose program counts its calls.
func Counting(c *engine.Compiled, calls *atomic.Int64) *engine.Compiled {
	counted := *c
	counted.Open = func(level string, weights []byte) (engine.Program, error) {
		p, err := c.Open(level, weights)
		return counter{p, calls}, err
	}
	return &counted
}

type counter struct {
	engine.Program
	calls *atomic.Int64
}

func (p counter) count(w *parallel.Worker) {
	if w.ID == 0 {
		p.calls.Add(1)
	}
}

func (p counter) Decode(w *parallel.Worker, m *engine.Memory, state *engine.Sequence, id int32) {
	p.count(w)
	p.Program.Decode(w, m, state, id)
}

func (p counter) Batch(w *parallel.Worker, m *engine.Memory, states []*engine.Sequence, ids []int32) {
	p.count(w)
	p.Program.Batch(w, m, states, ids)
}

func (p counter) Prefill(w *parallel.Worker, m *engine.Memory, state *engine.Sequence, ids []int32) {
	p.count(w)
	p.Program.Prefill(w, m, state, ids)
}

func (p counter) Logits(w *parallel.Worker, m *engine.Memory, row, rows int, out []float32) {
	p.count(w)
	p.Program.Logits(w, m, row, rows, out)
}
