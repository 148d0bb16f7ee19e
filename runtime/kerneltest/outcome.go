package kerneltest

import (
	"fmt"
	"math"
	"slices"
)

// outcome is what an output slice must hold after a call. An element's bounds
// are absolute errors: 0 demands the same bits, +Inf nothing. A value that is
// not finite must be met as it is unless the bound is +Inf. NaN equals NaN, but
// where the bound is opaque: there the bits are no number.
type outcome struct {
	values        []float32
	strict, loose []float64
}

// unwritten is the outcome of a slice of which nothing is written; set marks
// what is.
func unwritten(content []float32) *outcome {
	return &outcome{slices.Clone(content), make([]float64, len(content)), make([]float64, len(content))}
}

// exact sets an element that both kinds of code compute to the bit.
func (o *outcome) exact(i int, v float32) { o.set(i, v, 0, 0) }

// set gives an element's value and bounds.
func (o *outcome) set(i int, v float32, strict, loose float64) {
	o.values[i], o.strict[i], o.loose[i] = v, strict, loose
}

// opaque is the bound of an element that holds something else than a float32.
const opaque = -1

// word sets an element that holds four bytes of something else.
func (o *outcome) word(i int, bits uint32) { o.set(i, math.Float32frombits(bits), opaque, opaque) }

// near sets an element with one bound for all code, which is that of v before it
// is rounded.
func (o *outcome) near(i int, v, bound float64) {
	if lost := math.Abs(v - float64(float32(v))); lost > 0 && bound > 0 {
		bound += lost
	}
	o.set(i, float32(v), bound, bound)
}

func (o *outcome) judge(j Judgement, got []float32) error {
	bounds := o.strict
	if j == Loose {
		bounds = o.loose
	}
	for i, g := range got {
		if !within(g, o.values[i], bounds[i]) {
			return fmt.Errorf("[%d] = %v (%#x), want %v (%#x) within %.3g",
				i, g, math.Float32bits(g), o.values[i], math.Float32bits(o.values[i]), bounds[i])
		}
	}
	return nil
}

func within(got, want float32, bound float64) bool {
	switch {
	case bound == opaque:
		return math.Float32bits(got) == math.Float32bits(want)
	case math.IsInf(bound, 1) || sameBits(got, want):
		return true
	}
	return bound > 0 && math.Abs(float64(got)-float64(want)) <= bound
}

func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}
