package amd64

import (
	"iter"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// int4Coder reads panels of int4: a code becomes a word, its value times the
// multiple of its group, of which the scales of rows make the weight. A unit of
// multiples stands before each group of inputs.
type int4Coder struct {
	products
	a        *asm
	table    reg.VecVirtual // a value for each code
	multiple reg.VecVirtual // moves that of the columns at hand into high bytes
}

func newInt4(a *asm) coder {
	c := &int4Coder{a: a, products: a.products(kernel.Int4), multiple: a.vec()}
	format, _ := kernel.Int4.Coded()
	c.table = a.constantVec(a.global("int4", func(i int) uint32 {
		word := uint32(0)
		for j := range 4 {
			word |= uint32(uint8(format.Values[i%4*4+j])) << (8 * j)
		}
		return word
	}))
	return c
}

func (c *int4Coder) open(w, rows reg.GPVirtual) {
	if rows != nil {
		c.a.MOVQ(w, rows)
	}
	c.a.ADDQ(operand.U32(panelBytes), w)
}

func (c *int4Coder) eachGroup(n, w reg.GPVirtual, group func(s scales)) {
	a, unit, loop := c.a, c.a.GP64(), c.a.label("group")
	a.legend("One group of columns a turn: its multiples come first.", holds("groups left", n))
	a.Label(loop)
	a.MOVQ(w, unit)
	a.ADDQ(operand.U32(panelBytes), w)
	group(scales{unit: unit})
	a.DECQ(n)
	a.JNZ(operand.LabelRef(loop))
}

func (c *int4Coder) begin(sums reg.VecVirtual, _ operand.Mem) { c.a.zero(sums) }

// firstTurn takes the first of a row's four multiples for both words of a lane,
// nextTurn the next: columns of a turn are those of a multiple.
func (c *int4Coder) firstTurn() {
	c.a.VMOVUPS(c.a.global("firstMultiple", func(i int) uint32 {
		from := uint32(i % 4 * 4)
		return 0x80 | from<<8 | 0x80<<16 | from<<24
	}), c.multiple)
}

func (c *int4Coder) nextTurn() {
	c.a.VPADDD(c.a.constant32("oneMultiple", 0x01000100), c.multiple, c.multiple)
}

// lanes looks four codes of a row up at a time. Words with a value in the high
// byte, times words with a multiple there, have the product in the high half:
// 256·value · 256·multiple = 65536 · value·multiple.
func (c *int4Coder) lanes(m operand.Mem, s scales, at int) iter.Seq[reg.VecVirtual] {
	return func(yield func(reg.VecVirtual) bool) {
		a, multiple, codes := c.a, c.a.vec(), c.a.vec()
		a.VMOVUPS(s.at(at), multiple)
		a.VPSHUFB(c.multiple, multiple, multiple)
		a.VMOVUPS(m, codes)
		for half := range 2 {
			quad, pair := a.vec(), a.vec()
			if half == 1 {
				a.VPSRLD(operand.Imm(4), codes, codes)
			}
			a.andMem(a.constant32("lowHalves", 0x0f0f0f0f), codes, quad)
			a.VPSHUFB(quad, c.table, quad)
			a.VPSLLW(operand.Imm(8), quad, pair)
			a.VPMULHW(multiple, pair, pair)
			if !yield(pair) {
				return
			}
			a.andMem(a.constant32("highBytes", 0xff00ff00), quad, quad)
			a.VPMULHW(multiple, quad, quad)
			if !yield(quad) {
				return
			}
		}
	}
}

func (*int4Coder) scale(scales, int) reg.VecVirtual { return nil }

func (c *int4Coder) finish(sums reg.VecVirtual, row operand.Mem) { c.a.VMULPS(row, sums, sums) }

func (c *int4Coder) walk(w reg.GPVirtual, columns int, unit func(s scales, columns int)) {
	format, _ := kernel.Int4.Coded()
	a := c.a
	if whole := columns / format.Inputs; whole > 0 {
		n := a.GP64()
		a.MOVQ(operand.U32(uint32(whole)), n)
		c.eachGroup(n, w, func(s scales) {
			a.eachTurn(c, kernel.Int4, []role{holds("codes", w)}, func() { c.walkTurn(w, s, turnColumns, unit) })
		})
	}
	if rest := columns % format.Inputs; rest > 0 {
		s := scales{unit: a.GP64()}
		a.MOVQ(w, s.unit)
		a.ADDQ(operand.U32(panelBytes), w)
		c.firstTurn()
		for ; rest > turnColumns; rest -= turnColumns {
			c.walkTurn(w, s, turnColumns, unit)
			c.nextTurn()
		}
		c.walkTurn(w, s, rest, unit)
		if unread := (format.Inputs - (columns%format.Inputs+turnColumns-1)/turnColumns*turnColumns) / kernel.Int4.UnitColumns(); unread > 0 {
			a.ADDQ(operand.U32(uint32(unread*panelBytes)), w)
		}
	}
}

// walkTurn is walk for the columns that share a multiple, of which some may be
// padding.
func (c *int4Coder) walkTurn(w reg.GPVirtual, s scales, columns int, unit func(s scales, columns int)) {
	each := kernel.Int4.UnitColumns()
	for range turnUnits(kernel.Int4) {
		if columns > 0 {
			unit(s, min(columns, each))
		}
		columns -= each
		c.a.ADDQ(operand.U32(panelBytes), w)
	}
}

// widened is the word of a column times the scale of the row.
func (c *int4Coder) widened(m operand.Mem, s scales, at int, rows reg.GPVirtual, n int) iter.Seq2[int, reg.VecVirtual] {
	return func(yield func(int, reg.VecVirtual) bool) {
		k := 0
		for pair := range c.lanes(m, s, at) {
			for _, low := range []bool{true, false} {
				if k == n {
					return
				}
				v := c.a.vec()
				if low {
					c.a.VPSLLD(operand.Imm(16), pair, v)
					c.a.VPSRAD(operand.Imm(16), v, v)
				} else {
					c.a.VPSRAD(operand.Imm(16), pair, v)
				}
				c.a.VCVTDQ2PS(v, v)
				c.a.VMULPS(operand.Mem{Base: rows, Disp: at}, v, v)
				if !yield(k, v) {
					return
				}
				k++
			}
		}
	}
}
