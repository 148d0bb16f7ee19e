package kerneltest

import (
	"fmt"
	"iter"
	"math"
	"sort"
)

// pageTokens is the number of tokens on a page of a cache.
const pageTokens = 64

// Keep stores the keys (Columns) or values of a run of tokens on a page from a
// slot on, for a run of heads.
type Keep struct {
	HeadDim, StrideX int
	Columns          bool
	Storage          string // f16, int8, or nothing for float32
}

// perWord is how many elements of a token a float32 of the page holds.
func (k Keep) perWord() int {
	return map[string]int{"": 1, "f16": 2, "int8": 4}[k.Storage]
}

// row is the float32 of a token: of narrow values whole registers of 16
// elements.
func (k Keep) row() int {
	n := k.perWord()
	if n > 1 && !k.Columns {
		return (k.HeadDim + 15) / 16 * 16 / n
	}
	return (k.HeadDim + n - 1) / n
}

// scales is the float32 before a head's first row.
func (k Keep) scales() int {
	if k.Storage == "int8" {
		return pageTokens
	}
	return 0
}

// words is the float32 of a head's part of a page.
func (k Keep) words() int { return k.scales() + k.row()*pageTokens }

// word is the place of float32 w of a token in its head's part.
func (k Keep) word(slot, w int) int {
	if k.Columns {
		return k.scales() + w*pageTokens + slot
	}
	return k.scales() + slot*k.row() + w
}

// Cases implements Kernel.
func (k Keep) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		most := k.StrideX / k.HeadDim
		for i, tokens := range []int{0, 1, 2, 7, 31, 64} {
			for j, slot := range []int{0, 5, pageTokens - tokens} {
				if slot+tokens > pageTokens {
					continue
				}
				if !yield(k.newCase(1+(i+j)%most, slot, tokens, flavours[(i+j)%len(flavours)])) {
					return
				}
			}
		}
	}
}

func (k Keep) axes() []axis {
	return []axis{{"heads", map[string]int{"page": k.words(), "x": k.HeadDim}}}
}

func (k Keep) newCase(heads, slot, tokens int, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("heads=%d/slot=%d/tokens=%d/%s", heads, slot, tokens, f), kernel: k}
	v := newValues(c.Name, f)
	page, x := v.f32(heads*k.words()), v.f32(rows(tokens, k.StrideX, heads*k.HeadDim))
	c.inputs = []input{{"page", page}, {"x", x}, {"slot", slot}, {"heads", heads}, {"tokens", tokens}}
	return c.expect(outputs{"page": page}, func(want outcomes) {
		out := want["page"]
		for i := range tokens * heads {
			t, h := i/heads, i%heads
			in := x[t*k.StrideX+h*k.HeadDim:][:k.HeadDim]
			if k.Storage == "int8" {
				scale, numbers := wholeNumbers(in)
				out.exact(h*k.words()+slot+t, scale)
				in = numbers
			}
			for w := 0; w*k.perWord() < k.HeadDim; w++ {
				at := h*k.words() + k.word(slot+t, w)
				if k.Storage == "" {
					out.exact(at, in[w])
				} else {
					out.word(at, k.packed(in, w))
				}
			}
		}
	})
}

// packed is the elements of a row that float32 w holds.
func (k Keep) packed(row []float32, w int) uint32 {
	bits := uint32(0)
	for i := range k.perWord() {
		d := w*k.perWord() + i
		switch {
		case d >= len(row):
		case k.Storage == "f16":
			bits |= uint32(nearestHalf(row[d])) << (16 * i)
		default:
			bits |= uint32(uint8(row[d])) << (8 * i)
		}
	}
	return bits
}

// wholeNumbers is a row in bytes: numbers within ±127 and their scale in bf16,
// none below the least normal number.
func wholeNumbers(x []float32) (scale float32, numbers []float32) {
	most := float32(0)
	for _, v := range x {
		if v != v {
			continue
		}
		most = max(most, min(float32(math.Abs(float64(v))), math.MaxFloat32))
	}
	scale = roundBF16([]float32{most / 127})[0]
	if scale < 0x1p-126 {
		return 0, make([]float32, len(x))
	}
	for _, v := range x {
		numbers = append(numbers, float32(nearest(v/scale)))
	}
	return scale, numbers
}

// nearestHalf rounds to an IEEE half, ties to even, from its definition: the
// halves of a sign ascend with their bits. The largest stands for all beyond it.
func nearestHalf(v float32) uint16 {
	sign, size := uint16(0), math.Abs(float64(v))
	if math.Signbit(float64(v)) {
		sign = 0x8000
	}
	if v != v {
		return sign | 0x7e00
	}
	const largest = 0x7bff
	above := uint16(sort.Search(largest, func(h int) bool { return float64(halfValue(uint16(h))) >= size }))
	if above == 0 {
		return sign
	}
	low, high := float64(halfValue(above-1)), float64(halfValue(above))
	switch middle := (low + high) / 2; {
	case size < middle, size == middle && above%2 == 1:
		return sign | (above - 1)
	}
	return sign | above
}

// cached is a head's part of a page that has been kept.
type cached struct {
	Keep
	page []float32
}

// newCached fills a page with whatever its storage can hold.
func newCached(k Keep, v *values) *cached {
	c := &cached{k, make([]float32, k.words())}
	copy(c.page, v.f32(k.scales()))
	rest := c.page[k.scales():]
	switch k.Storage {
	case "":
		copy(rest, v.f32(len(rest)))
	case "f16":
		halves := v.u16(2*len(rest), true)
		for i := range rest {
			rest[i] = math.Float32frombits(uint32(halves[2*i]) | uint32(halves[2*i+1])<<16)
		}
	default:
		for i := range rest {
			rest[i] = math.Float32frombits(v.Uint32())
		}
	}
	return c
}

// scale is that of the token at a slot.
func (c *cached) scale(slot int) float32 {
	if c.scales() == 0 {
		return 1
	}
	return c.page[slot]
}

// element is element d of the token at a slot, without its scale.
func (c *cached) element(slot, d int) float32 {
	word := c.page[c.word(slot, d/c.perWord())]
	bits := math.Float32bits(word)
	switch c.Storage {
	case "f16":
		return halfValue(uint16(bits >> (d % 2 * 16)))
	case "int8":
		return float32(int8(bits >> (d % 4 * 8)))
	}
	return word
}
