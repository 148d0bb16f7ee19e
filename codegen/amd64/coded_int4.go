package amd64

import (
	"iter"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// int4Coder reads panels of int4: a code becomes a byte, its value and an offset,
// and what it is multiplied with the multiple of its group, of which the scales of
// rows make the weight. A unit of multiples stands before each group of inputs.
type int4Coder struct {
	products
	a        *asm
	table    reg.VecVirtual // a byte for each code
	selector reg.VecVirtual // moves the multiple of the columns at hand into high bytes
}

// int4Offset makes unsigned bytes of values: 1<<int4Shift.
const (
	int4Shift  = 6
	int4Offset = 1 << int4Shift
)

func newInt4(a *asm, offset int8) coder {
	c := &int4Coder{a: a, products: a.products(kernel.Int4), selector: a.vec()}
	format, _ := kernel.Int4.Coded()
	name := "int4"
	if offset > 0 {
		name = "int4Unsigned"
	}
	c.table = a.constantVec(a.global(name, func(i int) uint32 {
		word := uint32(0)
		for j := range 4 {
			word |= uint32(uint8(format.Values[i%4*4+j]+offset)) << (8 * j)
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

// begin takes back what int4Offset adds: that times the multiples of a group and
// the sums of their inputs, which are stored with the other sign.
func (c *int4Coder) begin(sums []reg.VecVirtual, x operand.Mem, pairs func(i int) [2]operand.Op) {
	at := x.Offset(kernel.Int4.QuantisedRow(1).Bytes.Sums)
	even, odd := c.input(at), c.input(at.Offset(4))
	for i, v := range sums {
		p, other := pairs(i), c.a.vec()
		c.a.VPMADDWD(p[0], even.(reg.VecVirtual), v)
		c.a.VPMADDWD(p[1], odd.(reg.VecVirtual), other)
		c.a.VPADDD(other, v, v)
		c.a.VPSLLD(operand.Imm(int4Shift), v, v)
	}
}

// pairs is the multiples of a group, those in even bytes and those in odd ones.
func (c *int4Coder) pairs(s scales, at int) [2]operand.Op {
	even, odd := c.a.vec(), c.a.vec()
	c.a.VMOVUPS(s.at(at), odd)
	c.a.VPSLLW(operand.Imm(8), odd, even)
	c.a.VPSRAW(operand.Imm(8), even, even)
	c.a.VPSRAW(operand.Imm(8), odd, odd)
	return [2]operand.Op{even, odd}
}

// firstTurn takes the first of a row's four multiples for both words of a lane,
// nextTurn the next: columns of a turn are those of a multiple.
func (c *int4Coder) firstTurn() {
	c.a.VMOVUPS(c.a.global("firstMultiple", func(i int) uint32 {
		from := uint32(i % 4 * 4)
		return 0x80 | from<<8 | 0x80<<16 | from<<24
	}), c.selector)
}

func (c *int4Coder) nextTurn() {
	c.a.VPADDD(c.a.constant32("oneMultiple", 0x01000100), c.selector, c.selector)
}

// multiple is that of the columns at hand in both words of a lane.
func (c *int4Coder) multiple(s scales, at int) reg.VecVirtual {
	v := c.a.vec()
	c.a.VMOVUPS(s.at(at), v)
	c.a.VPSHUFB(c.selector, v, v)
	c.a.VPSRAW(operand.Imm(8), v, v)
	return v
}

// lanes looks four codes of a row up at a time.
func (c *int4Coder) lanes(m operand.Mem, _ scales, _ int) iter.Seq[reg.VecVirtual] {
	return func(yield func(reg.VecVirtual) bool) {
		a, codes := c.a, c.a.vec()
		a.VMOVUPS(m, codes)
		for half := range 2 {
			quad := a.vec()
			if half == 1 {
				a.VPSRLD(operand.Imm(4), codes, codes)
			}
			a.andMem(a.constant32("lowHalves", 0x0f0f0f0f), codes, quad)
			a.VPSHUFB(quad, c.table, quad)
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

// widened is value times multiple times the scale of the row.
func (c *int4Coder) widened(m operand.Mem, s scales, at int, rows reg.GPVirtual, n int) iter.Seq2[int, reg.VecVirtual] {
	return func(yield func(int, reg.VecVirtual) bool) {
		k, multiple := 0, c.multiple(s, at)
		c.a.andMem(c.a.constant32("lowWords", 0xffff), multiple, multiple)
		for quads := range c.lanes(m, s, at) {
			for b := range c.columns() {
				if k == n {
					return
				}
				v := c.a.signedByte(quads, b)
				c.a.VPMADDWD(multiple, v, v) // the high words count for nothing
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
