package kerneltest

import "math"

// roundBF16 is the nearest bf16, ties to even, of every number.
func roundBF16(x []float32) []float32 {
	rounded := make([]float32, len(x))
	for i, v := range x {
		bits := math.Float32bits(v)
		if v != v {
			bits |= 1 << 22 // quiet
		}
		sign, rest := bits&(1<<31), bits&^(1<<31)
		rest = min(rest+0x7fff+rest>>16&1, 1<<31-1)
		rounded[i] = math.Float32frombits(sign | rest&^0xffff)
	}
	return rounded
}

// pairedShape is the layout of a row rounded to bf16, in float32: the numbers,
// zero up to a whole cache line, and the same as bf16.
type pairedShape struct{ columns int }

func (s pairedShape) padded() int { return (s.columns + 15) / 16 * 16 }

func (s pairedShape) floats() int { return s.padded() * 3 / 2 }

// expect sets what a row must hold from element at on.
func (s pairedShape) expect(out *outcome, at int, rounded []float32) {
	all := append(rounded[:len(rounded):len(rounded)], make([]float32, s.padded()-len(rounded))...)
	for i, v := range all {
		out.exact(at+i, v)
	}
	for i := 0; i < len(all); i += 2 {
		out.word(at+len(all)+i/2, math.Float32bits(all[i])>>16|math.Float32bits(all[i+1])&^0xffff)
	}
}

// row is a rounded row as kernels read it.
func (s pairedShape) row(rounded []float32) []float32 {
	out := unwritten(make([]float32, s.floats()))
	s.expect(out, 0, rounded)
	return out.values
}

// dotPairs is the chain of one output row with a rounded row.
func dotPairs(w weights, panel, row int, rounded []float32) *chain {
	s := &chain{pairs: true}
	for k, v := range rounded {
		a := w.at(panel, row, k)
		s.fma(a, v)
		s.lost += 4 * tiny
		if product := math.Abs(float64(a) * float64(v)); denormal(a) || denormal(v) {
			s.lost += product
		}
	}
	return s
}

func denormal(v float32) bool { return v != 0 && math.Abs(float64(v)) < 0x1p-126 }

// narrowInput is an input of dot products in the form of a storage's kernels.
type narrowInput struct {
	row []float32                            // as it lies in memory
	dot func(w weights, panel, r int) *chain // of one output row
}

// narrow quantises an input, or rounds it.
func narrow(storage string, x []float32) narrowInput {
	if storage == "bf16" {
		rounded := roundBF16(x)
		return narrowInput{pairedShape{len(x)}.row(rounded), func(w weights, panel, r int) *chain {
			return dotPairs(w, panel, r, rounded)
		}}
	}
	q := quantise(x)
	return narrowInput{quantisedShape(storage, len(x)).row(q), func(w weights, panel, r int) *chain {
		return w.(*codedPanels).dot(panel, r, q)
	}}
}
