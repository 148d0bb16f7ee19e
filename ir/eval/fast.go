package eval

import (
	"math"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/storage"
)

// NewFast is New for fast math: a product with weights that are codes sees its input
// as narrow dot products do, in whole numbers of 8 bits and a scale for each
// group of columns (codegen/kernel/quantise.go). Sums stay those of the oracle.
//
// A program has its inputs with the errors of float32. Where one lies at the
// border between two whole numbers, program and oracle may choose differently,
// and agree from there on only within what quantising costs. Margin tells.
func NewFast(m *ir.Module) (*Evaluator, error) {
	e, err := New(m)
	if err != nil {
		return nil, err
	}
	for i := range e.frames {
		f := &e.frames[i]
		matrices := op.Matrices(f.value)
		if _, ok := f.value.Op.(op.Embed); ok || len(matrices) == 0 {
			continue // a lookup multiplies nothing
		}
		if c, ok := storage.LookupCoded(matrices[0].Storage); ok {
			f.narrow = &narrowed{group: c.Inputs, from: f.frame.Args[0]}
			f.frame.Args[0] = make([]float32, len(f.narrow.from))
		}
		for _, p := range matrices[1:] {
			if c, ok := storage.LookupCoded(p.Storage); ok {
				f.frame.Narrow = e.narrowing(c.Inputs)
			}
		}
	}
	return e, nil
}

// narrowing rounds what an op makes itself to multiply it with a second matrix.
func (e *Evaluator) narrowing(group int) func([]float32) {
	return func(x []float32) {
		n := narrowed{group: group, from: append([]float32(nil), x...)}
		e.offset = max(e.offset, n.into(x))
	}
}

// Margin is how near to the border between two whole numbers any input has come
// since New or Reset, as a part of the distance between two; ½ is the most.
func (e *Evaluator) Margin() float64 { return 0.5 - e.offset }

// narrowed is an input in the form that narrow dot products multiply.
type narrowed struct {
	group int
	from  []float32
}

// into writes what whole numbers and scales stand for, and returns the largest
// distance that an input had from its number.
func (n *narrowed) into(to []float32) (offset float64) {
	for lo := 0; lo < len(to); lo += n.group {
		hi := min(lo+n.group, len(to))
		offset = max(offset, quantise(to[lo:hi], n.from[lo:hi]))
	}
	return offset
}

const (
	mostWhole    = 127      // the largest whole number
	leastDivisor = 0x1p-100 // a magnitude below which all of a group are 0
)

func quantise(to, from []float32) (offset float64) {
	most := float32(0)
	for _, v := range from {
		most = max(most, float32(math.Abs(float64(v)))) // a NaN stays
	}
	scale, inverse := most/mostWhole, mostWhole/max(most, leastDivisor)
	for i, v := range from {
		steps := float64(v * inverse)
		whole := math.RoundToEven(steps)
		offset = max(offset, math.Abs(steps-whole))
		to[i] = scale * float32(whole)
	}
	return offset
}
