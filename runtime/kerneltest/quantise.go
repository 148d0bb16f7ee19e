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
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for t := range tokens {
			row := x[t*q.StrideX:][:q.K]
			if q.Storage == "bf16" {
				pairedShape{q.K}.expect(out, t*q.StrideY, roundBF16(row))
			} else {
				quantisedShape(q.Storage, q.K).expect(out, t*q.StrideY, quantise(row))
			}
		}
	})
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

// rowShape is the layout of a quantised row, in float32. With weights in int8, all
// groups of q as words, then all of q as bytes, behind each the scale and −128·Σq;
// in int4, group after group, q as bytes, four sums as words, and the scale.
type rowShape struct {
	multiples bool
	floats    int // written
}

// groupFloats is the size of a group whose numbers have some bytes, with what comes
// behind them in int8.
func groupFloats(bytes int) int { return bytes*inputGroup/4 + 2 }

func quantisedShape(storage string, k int) rowShape {
	groups := (k + inputGroup - 1) / inputGroup
	if storage == "int4" {
		return rowShape{true, groups * (inputGroup/4 + 3)}
	}
	return rowShape{false, groups * (groupFloats(2) + groupFloats(1))}
}

// expect sets what a row must hold from element at on.
func (s rowShape) expect(out *outcome, at int, q *quantised) {
	bytesAt := at + len(q.scales)*groupFloats(2)
	for g, scale := range q.scales {
		numbers := q.numbers[g*inputGroup : (g+1)*inputGroup]
		if s.multiples {
			at = s.bytes(out, at, numbers)
			sum := func(j int) uint32 { return uint32(uint16(-total(numbers[16*j : 16*(j+1)]))) }
			out.word(at, sum(0)|sum(2)<<16)
			out.word(at+1, sum(1)|sum(3)<<16)
			out.exact(at+2, scale)
			at += 3
			continue
		}
		at = s.words(out, at, numbers)
		bytesAt = s.bytes(out, bytesAt, numbers)
		for _, at := range []int{at, bytesAt} {
			out.exact(at, scale)
			out.word(at+1, uint32(-128*total(numbers)))
		}
		at, bytesAt = at+2, bytesAt+2
	}
}

// words sets numbers as words; the next element follows.
func (rowShape) words(out *outcome, at int, numbers []int8) int {
	word := func(i int) uint32 { return uint32(uint16(int16(numbers[i]))) }
	for i := 0; i < len(numbers); i += 2 {
		out.word(at+i/2, word(i)|word(i+1)<<16)
	}
	return at + len(numbers)/2
}

// bytes sets numbers as bytes; the next element follows.
func (rowShape) bytes(out *outcome, at int, numbers []int8) int {
	for i := 0; i < len(numbers); i += 4 {
		word := uint32(0)
		for j, n := range numbers[i : i+4] {
			word |= uint32(uint8(n)) << (8 * j)
		}
		out.word(at+i/4, word)
	}
	return at + len(numbers)/4
}

func total(numbers []int8) int32 {
	sum := int32(0)
	for _, n := range numbers {
		sum += int32(n)
	}
	return sum
}

// row is a quantised row as kernels read it.
func (s rowShape) row(q *quantised) []float32 {
	out := unwritten(make([]float32, s.floats))
	s.expect(out, 0, q)
	return out.values
}
