package amd64

import (
	"iter"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// int8Coder reads panels of int8: codes are unsigned numbers, value +
// kernel.CodeOfZero, four columns of a row in a lane, and a unit of scales stands
// before each two groups.
type int8Coder struct {
	products
	a *asm
}

func newInt8(a *asm) coder {
	return &int8Coder{a.products(kernel.Int8), a}
}

func (*int8Coder) open(reg.GPVirtual, reg.GPVirtual) {}

// eachGroup treats two groups a turn; the last pair may lack its second.
func (c *int8Coder) eachGroup(n, w reg.GPVirtual, group func(s scales)) {
	a, unit := c.a, c.a.GP64()
	loop, done := a.label("pair"), a.label("groups")
	a.legend("Two groups of columns a turn: their scales come first.", holds("groups left", n))
	a.Label(loop)
	a.MOVQ(w, unit)
	a.ADDQ(operand.U32(panelBytes), w)
	group(scales{unit, 0})
	a.DECQ(n)
	a.JZ(operand.LabelRef(done))
	group(scales{unit, 1})
	a.DECQ(n)
	a.JNZ(operand.LabelRef(loop))
	a.Label(done)
}

// begin takes back what kernel.CodeOfZero adds.
func (c *int8Coder) begin(sums []reg.VecVirtual, x operand.Mem, _ func(int) [2]operand.Op) {
	for _, v := range sums {
		c.a.VPBROADCASTD(x.Offset(c.groups(kernel.Int8.QuantisedRow(1)).Zero), v)
	}
}

func (*int8Coder) pairs(scales, int) [2]operand.Op { return [2]operand.Op{} }

func (*int8Coder) multiple(scales, int) reg.VecVirtual { return nil }

func (*int8Coder) firstTurn() {}

func (*int8Coder) nextTurn() {}

// lanes are the codes as they lie in memory, or columns 0 and 1, then 2 and 3.
func (c *int8Coder) lanes(m operand.Mem, _ scales, _ int) iter.Seq[reg.VecVirtual] {
	return func(yield func(reg.VecVirtual) bool) {
		quads := c.a.vec()
		c.a.VMOVUPS(m, quads)
		if c.columns() == 4 {
			yield(quads)
			return
		}
		for _, b := range []uint32{0, 2} {
			pair := c.a.vec()
			c.a.VPSHUFB(c.a.wordsOf(b), quads, pair)
			if !yield(pair) {
				return
			}
		}
	}
}

// scale widens the scales of the first group of a pair, or of the second.
func (c *int8Coder) scale(s scales, at int) reg.VecVirtual {
	return c.a.half(s.at(at), s.group)
}

func (*int8Coder) finish(reg.VecVirtual, operand.Mem) {}

func (c *int8Coder) walk(w reg.GPVirtual, columns int, unit func(s scales, columns int)) {
	format, _ := kernel.Int8.Coded()
	a, at := c.a, c.a.GP64()
	pair := func(columns int) {
		a.MOVQ(w, at)
		a.ADDQ(operand.U32(panelBytes), w)
		for group := 0; columns > 0; group++ {
			c.walkGroup(w, min(columns, format.Inputs), func(n int) { unit(scales{at, group}, n) })
			columns -= format.Inputs
		}
	}
	whole, rest := columns/(2*format.Inputs), columns%(2*format.Inputs)
	if whole > 0 {
		n, loop := a.GP64(), a.label("pair")
		a.MOVQ(operand.U32(uint32(whole)), n)
		a.legend("Two groups of columns a turn: their scales come first.", holds("groups left", n))
		a.Label(loop)
		pair(2 * format.Inputs)
		a.DECQ(n)
		a.JNZ(operand.LabelRef(loop))
	}
	if rest > 0 {
		pair(rest)
	}
}

// walkGroup is walk for the columns of one group.
func (c *int8Coder) walkGroup(w reg.GPVirtual, columns int, unit func(columns int)) {
	a, each := c.a, kernel.Int8.UnitColumns()
	format, _ := kernel.Int8.Coded()
	whole, rest := columns/each, columns%each
	if whole > 0 {
		n, loop := a.GP64(), a.label("unit")
		a.MOVQ(operand.U32(uint32(whole)), n)
		a.legend("One unit of codes a turn.", holds("codes", w), holds("units left", n))
		a.Label(loop)
		unit(each)
		a.ADDQ(operand.U32(panelBytes), w)
		a.DECQ(n)
		a.JNZ(operand.LabelRef(loop))
	}
	if rest > 0 {
		unit(rest)
	}
	if unread := format.Inputs/each - whole; unread > 0 {
		a.ADDQ(operand.U32(uint32(unread*panelBytes)), w)
	}
}

// widened is value times scale.
func (c *int8Coder) widened(m operand.Mem, s scales, at int, _ reg.GPVirtual, n int) iter.Seq2[int, reg.VecVirtual] {
	return func(yield func(int, reg.VecVirtual) bool) {
		scale, quads := c.scale(s, at), c.a.vec()
		c.a.VMOVUPS(m, quads)
		c.a.xorMem(c.a.constant32("signs", kernel.CodeOfZero*0x01010101), quads, quads)
		for k := range n {
			v := c.a.signedByte(quads, k)
			c.a.VCVTDQ2PS(v, v)
			c.a.VMULPS(scale, v, v)
			if !yield(k, v) {
				return
			}
		}
	}
}

// signedByte is byte k of every lane.
func (a *asm) signedByte(quads reg.VecVirtual, k int) reg.VecVirtual {
	const last = 3
	v := a.vec()
	if k == last {
		a.VPSRAD(operand.Imm(24), quads, v)
		return v
	}
	a.VPSLLD(operand.Imm(uint64(8*(last-k))), quads, v)
	a.VPSRAD(operand.Imm(24), v, v)
	return v
}

// xorMem is exclusive or with a constant in memory.
func (a *asm) xorMem(m operand.Mem, x, y reg.VecVirtual) {
	if a.level.lanes == 16 {
		a.VPXORD(m, x, y)
		return
	}
	a.VPXOR(m, x, y)
}
