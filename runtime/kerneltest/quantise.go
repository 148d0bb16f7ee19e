package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// Quantise makes whole numbers and scales of rows of activations, or rounds them
// to bf16; see the compiler's kernel of that name.
type Quantise struct {
	Storage string
	K       int
	StrideX int
	StrideY int
}

// Cases implements Kernel.
func (q Quantise) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 2, 3} {
			for _, f := range append(flavours, stiff) {
				if !yield(q.newCase(tokens, f)) {
					return
				}
			}
		}
	}
}

func (q Quantise) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": q.StrideY, "x": q.StrideX}}}
}

func (q Quantise) newCase(tokens int, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s", tokens, f), kernel: q}
	v := newValues(c.Name, f)
	width := len(narrow(q.Storage, make([]float32, q.K)).row)
	x, y := v.f32(rows(tokens, q.StrideX, q.K)), v.f32(rows(tokens, q.StrideY, width))
	c.inputs = []input{{"y", y}, {"x", x}, {"tokens", tokens}}
	out := unwritten(y)
	for t := range tokens {
		row := x[t*q.StrideX:][:q.K]
		if q.Storage == "bf16" {
			pairedShape{q.K}.expect(out, t*q.StrideY, roundBF16(row))
		} else {
			quantisedShape(q.K).expect(out, t*q.StrideY, quantise(row))
		}
	}
	c.want = map[string]*outcome{"y": out}
	return c
}

// quantised is a row of whole numbers and their scales.
type quantised struct {
	numbers []int8 // whole groups
	scales  []float32
}

// quantise is the meaning of the kernel, for one row.
func quantise(x []float32) *quantised {
	q := &quantised{}
	for lo := 0; lo < len(x); lo += inputGroup {
		part := x[lo:min(lo+inputGroup, len(x))]
		most := float32(0)
		for _, v := range part {
			if m := float32(math.Abs(float64(v))); m > most || m != m {
				most = m
			}
			if most != most {
				break
			}
		}
		inverse := 127 / max(most, 0x1p-100)
		for _, v := range part {
			q.numbers = append(q.numbers, nearest(v*inverse))
		}
		for range inputGroup - len(part) {
			q.numbers = append(q.numbers, 0)
		}
		q.scales = append(q.scales, most/127)
	}
	return q
}

// nearest rounds to a whole number within ±127; NaN counts as the least.
func nearest(v float32) int8 {
	if !(v > -127) {
		return -127
	}
	return int8(math.RoundToEven(float64(min(v, 127))))
}

// rowShape is the layout of a quantised row, in float32: group after group, q as
// words, q as bytes, the scale, and −128·Σq.
type rowShape struct {
	floats int // written
}

func quantisedShape(k int) rowShape {
	groups := (k + inputGroup - 1) / inputGroup
	return rowShape{groups * (3*inputGroup/4 + 2)}
}

// expect sets what a row must hold from element at on.
func (rowShape) expect(out *outcome, at int, q *quantised) {
	for g, scale := range q.scales {
		numbers := q.numbers[g*inputGroup : (g+1)*inputGroup]
		byteAt := func(i int) uint32 { return uint32(uint8(numbers[i])) }
		wordAt := func(i int) uint32 { return uint32(uint16(int16(numbers[i]))) }
		sum := int32(0)
		for i := 0; i < inputGroup; i += 4 {
			out.word(at+i/2, wordAt(i)|wordAt(i+1)<<16)
			out.word(at+i/2+1, wordAt(i+2)|wordAt(i+3)<<16)
			out.word(at+inputGroup/2+i/4, byteAt(i)|byteAt(i+1)<<8|byteAt(i+2)<<16|byteAt(i+3)<<24)
			sum += int32(numbers[i]) + int32(numbers[i+1]) + int32(numbers[i+2]) + int32(numbers[i+3])
		}
		at += 3 * inputGroup / 4
		out.exact(at, scale)
		out.word(at+1, uint32(-128*sum))
		at += 2
	}
}

// row is a quantised row as kernels read it.
func (s rowShape) row(q *quantised) []float32 {
	out := unwritten(make([]float32, s.floats))
	s.expect(out, 0, q)
	return out.values
}
