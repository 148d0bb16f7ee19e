package lower_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/pack"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir/tensor"
)

// machine runs a plan by the plain meanings of its kernels, one worker after
// the other, and watches every element that they touch: within a phase no
// worker may touch what another one writes, and nobody may leave the columns
// and rows that his arguments promise. What a region has not written is NaN.
type machine struct {
	plan    *plan.Plan
	workers int
	weights map[*plan.Weight][]float32
	arena   *memory
	out     *memory
	states  []*memory // of each sequence; a single one is the first
	private []*memory
	pages   [][]*memory // of each cache, of each sequence
	// positions is the number of tokens before those at hand, of each sequence.
	positions []int

	call   *plan.Call // at hand
	head   bool
	row    int // first row of the head
	tokens int
	ids    []int
	rows   []int // of the expert at hand; nil out of loops
	expert int
	worker int
	epoch  int    // the phase at hand
	what   string // the kernel at hand
	fault  error
}

// memory remembers who touched its elements last, and in which phase.
type memory struct {
	values       []float32
	wrote, reads []stamp
}

type stamp struct{ epoch, worker int }

// several is the worker of an element that more than one has read.
const several = -1

func newMemory(n int) *memory {
	return &memory{make([]float32, n), make([]stamp, n), make([]stamp, n)}
}

// forget makes elements unwritten.
func (m *memory) forget() {
	for i := range m.values {
		m.values[i] = float32(math.NaN())
	}
}

func newMachine(t *testing.T, p *plan.Plan, workers int) *machine {
	x := &machine{plan: p, workers: workers, weights: unpack(t, p), arena: newMemory(p.Arena)}
	for range p.Block {
		x.states = append(x.states, newMemory(p.State))
	}
	x.positions = make([]int, p.Block)
	for _, c := range p.Caches {
		var list []*memory
		for range p.Block {
			list = append(list, newMemory(c.Page*maxPages))
		}
		x.pages = append(x.pages, list)
	}
	for _, b := range p.Buffers {
		if b.Space == plan.Output {
			x.out = newMemory(b.Rows * b.Stride)
		}
	}
	for range workers {
		x.private = append(x.private, newMemory(p.Private))
	}
	x.arena.forget()
	return x
}

// unpack reads packed weights back, as float32.
func unpack(t *testing.T, p *plan.Plan) map[*plan.Weight][]float32 {
	t.Helper()
	var b bytes.Buffer
	if err := pack.Write(context.Background(), &b, p, nil); err != nil {
		t.Fatal(err)
	}
	weights := map[*plan.Weight][]float32{}
	for _, w := range p.Weights {
		list, data := make([]float32, w.Slot.Elements), b.Bytes()[w.Offset:w.Offset+w.Bytes()]
		for i := range list {
			switch w.Slot.Storage {
			case kernel.F16:
				list[i] = tensor.F16ToF32(binary.LittleEndian.Uint16(data[2*i:]))
			case kernel.BF16:
				list[i] = tensor.BF16ToF32(binary.LittleEndian.Uint16(data[2*i:]))
			default:
				list[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
			}
		}
		weights[w] = list
	}
	return weights
}

// decode runs one token and returns its logits.
func (x *machine) decode(id int) []float32 {
	x.feed(plan.Decode, []int{id})
	return x.logits(plan.LogitsOne, 0, 1)
}

// batch runs one token of each of the first sequences and returns the logits
// of all.
func (x *machine) batch(ids []int) []float32 {
	x.feed(plan.Batch, ids)
	return x.logits(plan.LogitsRows, 0, len(ids))
}

// prefill runs a chunk and returns the logits of all of its tokens; the last
// row comes from the program for a single one.
func (x *machine) prefill(ids []int) []float32 {
	x.feed(plan.Prefill, ids)
	var all []float32
	last := len(ids) - 1
	for row := 0; row < last; row += x.plan.Block {
		all = append(all, x.logits(plan.LogitsRows, row, min(x.plan.Block, last-row))...)
	}
	return append(all, x.logits(plan.LogitsOne, last, 1)...)
}

func (x *machine) feed(mode plan.Mode, ids []int) {
	x.head, x.row, x.tokens, x.ids = false, 0, len(ids), ids
	x.arena.forget()
	for i := range x.plan.Calls[:len(x.plan.Calls)-1] {
		x.run(&x.plan.Calls[i], mode)
	}
	if mode == plan.Batch {
		for i := range ids {
			x.positions[i]++
		}
		return
	}
	x.positions[0] += len(ids)
}

func (x *machine) logits(mode plan.Mode, row, rows int) []float32 {
	x.head, x.row, x.tokens = true, row, rows
	x.out.forget()
	x.run(&x.plan.Calls[len(x.plan.Calls)-1], mode)
	stride := len(x.out.values) / x.plan.Block
	var all []float32
	for i := range rows {
		all = append(all, x.out.values[i*stride:i*stride+x.plan.Vocab]...)
	}
	return all
}

// run is one region: nothing but carried buffers keeps its contents.
func (x *machine) run(c *plan.Call, mode plan.Mode) {
	kept := slices.Clone(x.arena.values)
	x.arena.forget()
	for _, b := range x.plan.Buffers {
		if end := b.Offset + b.Rows*b.Stride; b.Carried {
			copy(x.arena.values[b.Offset:end], kept[b.Offset:end])
		}
	}
	for _, m := range x.private {
		m.forget()
	}
	x.call = c
	for _, part := range c.Block.Body(mode).Parts() {
		if part[0].Loop != nil {
			x.loop(part)
		} else {
			x.phase(&part[0])
		}
	}
}

func (x *machine) phase(phase *plan.Phase) {
	x.epoch++
	for x.worker = range x.workers {
		for i := range phase.Steps {
			x.step(&phase.Steps[i])
		}
	}
}

func (x *machine) fail(format string, args ...any) {
	if x.fault == nil {
		x.fault = fmt.Errorf("region %s, %d workers: %s: %s", x.call.Region, x.workers, x.what, fmt.Sprintf(format, args...))
	}
}

func (x *machine) load(m *memory, i int, what string) float64 {
	if w := m.wrote[i]; w.epoch == x.epoch && w.worker != x.worker {
		x.fail("%s: worker %d reads [%d], which worker %d writes in the same phase", what, x.worker, i, w.worker)
	}
	if r := &m.reads[i]; r.epoch == x.epoch && r.worker != x.worker {
		r.worker = several
	} else {
		*r = stamp{x.epoch, x.worker}
	}
	return float64(m.values[i])
}

func (x *machine) store(m *memory, i int, v float64, what string) {
	if w := m.wrote[i]; w.epoch == x.epoch && w.worker != x.worker {
		x.fail("%s: workers %d and %d both write [%d] in one phase", what, w.worker, x.worker, i)
	}
	if r := m.reads[i]; r.epoch == x.epoch && r.worker != x.worker {
		x.fail("%s: worker %d writes [%d], which worker %d reads in the same phase", what, x.worker, i, r.worker)
	}
	m.wrote[i] = stamp{x.epoch, x.worker}
	m.values[i] = float32(v)
}
