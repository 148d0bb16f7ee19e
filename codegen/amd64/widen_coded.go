package amd64

import (
	"iter"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// walk runs unit for every unit of some columns of a packed panel, and moves w
// with it, to the end of their groups at last. unit gets where the scales of its
// pair of groups are, whether it is of the second one, and how many columns.
func (c *coder) walk(w reg.GPVirtual, columns int, unit func(scales reg.GPVirtual, second, columns int)) {
	a, scales := c.a, c.a.GP64()
	format, _ := c.storage.Coded()
	pair := func(columns int) {
		a.MOVQ(w, scales)
		a.ADDQ(operand.U32(panelBytes), w)
		for second := 0; columns > 0; second++ {
			c.walkGroup(w, min(columns, format.Group), func(n int) { unit(scales, second, n) })
			columns -= format.Group
		}
	}
	whole, rest := columns/(2*format.Group), columns%(2*format.Group)
	if whole > 0 {
		n, loop := a.GP64(), a.label("pair")
		a.MOVQ(operand.U32(uint32(whole)), n)
		a.legend("Two groups of columns a turn: their scales come first.", holds("groups left", n))
		a.Label(loop)
		pair(2 * format.Group)
		a.DECQ(n)
		a.JNZ(operand.LabelRef(loop))
	}
	if rest > 0 {
		pair(rest)
	}
}

// walkGroup is walk for the columns of one group.
func (c *coder) walkGroup(w reg.GPVirtual, columns int, unit func(columns int)) {
	a, each := c.a, c.storage.UnitColumns()
	format, _ := c.storage.Coded()
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
	if unread := format.Group/each - whole; unread > 0 {
		a.ADDQ(operand.U32(uint32(unread*panelBytes)), w)
	}
}

// widened gives the first n columns of a vector of a unit as float32: value
// times scale, which is exact.
func (c *coder) widened(m operand.Mem, scale reg.VecVirtual, n int) iter.Seq2[int, reg.VecVirtual] {
	return func(yield func(int, reg.VecVirtual) bool) {
		for q, quads := range c.quads(m) {
			c.a.xorMem(c.a.constant32("signs", kernel.CodeOfZero*0x01010101), quads, quads)
			for k := 4 * q; k < min(n, 4*q+4); k++ {
				v := c.signed(quads, k%4)
				c.a.VCVTDQ2PS(v, v)
				c.a.VMULPS(scale, v, v)
				if !yield(k, v) {
					return
				}
			}
		}
	}
}

// signed is byte k of every lane.
func (c *coder) signed(quads reg.VecVirtual, k int) reg.VecVirtual {
	const last = 3
	v := c.a.vec()
	if k == last {
		c.a.VPSRAD(operand.Imm(24), quads, v)
		return v
	}
	c.a.VPSLLD(operand.Imm(uint64(8*(last-k))), quads, v)
	c.a.VPSRAD(operand.Imm(24), v, v)
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
