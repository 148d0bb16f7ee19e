package snapshot

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
)

// cacheKind is the kind of slots that lie on pages.
const cacheKind = "cache"

// packing is how a row of a format lies in float32.
type packing struct {
	perWord int
	scaled  bool // every row has a scale, before the rows of its head
	read    func(words []float32, step int, scale float32, row []float32)
	write   func(words []float32, step int, row []float32) (scale float32)
}

// packings holds the formats of payload.StateSlot.
var packings = map[string]packing{
	"":     {1, false, readFloats, writeFloats},
	"f16":  {2, false, readHalves, writeHalves},
	"int8": {4, true, readNumbers, writeNumbers},
}

// cached is the rows of a slot of a sequence's caches.
type cached struct {
	packing
	state *engine.State
	slot  *payload.StateSlot
}

func newCached(s *engine.State, slot *payload.StateSlot) *cached {
	return &cached{packings[slot.Format], s, slot}
}

// rowWords is the float32 of a token and head; rows that lie one after the other
// and are narrow fill whole registers.
func (p *packing) rowWords(slot *payload.StateSlot) int {
	const register = 16
	if p.perWord > 1 && !slot.ByColumns {
		return (slot.Columns + register - 1) / register * register / p.perWord
	}
	return (slot.Columns + p.perWord - 1) / p.perWord
}

// headTokenWords is rowWords with the scale.
func (p *packing) headTokenWords(slot *payload.StateSlot) int {
	if p.scaled {
		return p.rowWords(slot) + 1
	}
	return p.rowWords(slot)
}

// row finds the words of a token and head, step apart, and their scale.
func (c *cached) row(token, head int) (words []float32, step int, scale *float32) {
	t := token % engine.PageTokens
	page := c.state.Page(c.slot.Cache, token/engine.PageTokens)
	page = page[c.slot.Offset+head*c.headTokenWords(c.slot)*engine.PageTokens:]
	one := float32(1)
	if scale = &one; c.scaled {
		scale, page = &page[t], page[engine.PageTokens:]
	}
	if c.slot.ByColumns {
		return page[t:], engine.PageTokens, scale
	}
	return page[t*c.rowWords(c.slot):], 1, scale
}

// each visits the rows of a canonical array of the last tokens that were read.
func (c *cached) each(values []float32, visit func(row, words []float32, step int, scale *float32)) {
	heads, n := c.slot.Rows, c.slot.Columns
	tokens := len(values) / (heads * n)
	for i := 0; i < tokens*heads; i++ {
		words, step, scale := c.row(c.state.Pos()-tokens+i/heads, i%heads)
		visit(values[i*n:(i+1)*n], words, step, scale)
	}
}

// gather widens all rows.
func (c *cached) gather(dst []float32) {
	c.each(dst, func(row, words []float32, step int, scale *float32) { c.read(words, step, *scale, row) })
}

// scatter narrows them as kernels do, so that what gather gave comes back as it
// was.
func (c *cached) scatter(src []float32) {
	c.each(src, func(row, words []float32, step int, scale *float32) { *scale = c.write(words, step, row) })
}

func readFloats(words []float32, step int, _ float32, row []float32) {
	for d := range row {
		row[d] = words[d*step]
	}
}

func writeFloats(words []float32, step int, row []float32) float32 {
	for d, v := range row {
		words[d*step] = v
	}
	return 1
}

func readHalves(words []float32, step int, _ float32, row []float32) {
	for d := range row {
		row[d] = halfValue(uint16(math.Float32bits(words[d/2*step]) >> (d % 2 * 16)))
	}
}

func writeHalves(words []float32, step int, row []float32) float32 {
	pack(words, step, row, 2, func(v float32) uint32 { return uint32(nearestHalf(v)) })
	return 1
}

func readNumbers(words []float32, step int, scale float32, row []float32) {
	for d := range row {
		row[d] = scale * float32(int8(math.Float32bits(words[d/4*step])>>(d%4*8)))
	}
}

// writeNumbers gives the scale, in bf16, that makes the largest number 127.
func writeNumbers(words []float32, step int, row []float32) float32 {
	most := float32(0)
	for _, v := range row {
		if size := float32(math.Abs(float64(v))); size > most {
			most = size
		}
	}
	scale := nearestBF16(min(most, math.MaxFloat32) / 127)
	if scale < 0x1p-126 {
		scale = 0
	}
	pack(words, step, row, 4, func(v float32) uint32 {
		if scale == 0 {
			return 0
		}
		return uint32(uint8(int8(math.RoundToEven(float64(min(max(v/scale, -127), 127))))))
	})
	return scale
}

// pack writes n elements to a word, the first in the lowest bits.
func pack(words []float32, step int, row []float32, n int, bits func(float32) uint32) {
	for d := 0; d < len(row); d += n {
		word := uint32(0)
		for i, v := range row[d:min(d+n, len(row))] {
			word |= bits(v) << (i * 32 / n)
		}
		words[d/n*step] = math.Float32frombits(word)
	}
}

// nearestBF16 rounds to the nearest bf16, ties to even.
func nearestBF16(v float32) float32 {
	bits := math.Float32bits(v)
	return math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
}

// halfValue is the number that an IEEE half stands for.
func halfValue(h uint16) float32 {
	const leastExponent = 112 // of a half, in the exponent of a float32
	sign, rest := uint32(h&0x8000)<<16, uint32(h&0x7fff)<<13
	if h&0x7c00 == 0x7c00 {
		return math.Float32frombits(sign | 0x7f800000 | rest)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(rest)*(1<<leastExponent)))
}

// nearestHalf rounds to the nearest half, ties to even; the largest stands for
// all beyond it.
func nearestHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, rest := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case rest > 0x7f800000:
		return sign | 0x7e00
	case rest > 0x477fe000:
		return sign | 0x7bff
	case rest < 0x38800000: // the addition rounds
		return sign | uint16(math.Float32bits(math.Float32frombits(rest)+0.5)-math.Float32bits(0.5))
	}
	return sign | uint16((rest-0x38000000+0xfff+rest>>13&1)>>13)
}

func checkCache(s *payload.StateSlot, caches []engine.Cache) error {
	p, known := packings[s.Format]
	if !known || s.Cache < 0 || s.Cache >= len(caches) || s.Rows < 1 || s.Columns < 1 || s.Offset < 0 {
		return fmt.Errorf("payload: cache %q [%d %d] %s is none", s.Name, s.Rows, s.Columns, s.Format)
	}
	page := caches[s.Cache].Page / engine.PageTokens
	if s.Rows > page || s.Columns > 4*page {
		return fmt.Errorf("payload: cache %q [%d %d] leaves its page", s.Name, s.Rows, s.Columns)
	}
	if n := p.headTokenWords(s); n > page/s.Rows || s.Offset > (page-s.Rows*n)*engine.PageTokens {
		return fmt.Errorf("payload: cache %q [%d %d] leaves its page", s.Name, s.Rows, s.Columns)
	}
	return nil
}
