package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// vnni is the feature from which on codes are multiplied as bytes.
const vnni = "avx512vnni"

// coder makes of the codes of a unit what dot products multiply: unsigned
// numbers, value + kernel.CodeOfZero, some columns of one row in a lane of 32
// bits.
type coder struct {
	products
	a       *asm
	storage kernel.Storage
	table   reg.VecVirtual // of int4: a number for each code
}

// products is how a level multiplies codes with the numbers of a quantised row:
// in what width the two meet, and by which instructions.
type products interface {
	// columns is how many columns of a row share a lane of 32 bits.
	columns() int
	// numbers is where in a group of a quantised row those of that width begin,
	// and where they end.
	numbers(r kernel.QuantisedRow) (from, to int)
	// lanes makes of quads what add multiplies: ascending columns.
	lanes(quads reg.VecVirtual) []reg.VecVirtual
	// input is the numbers at m for all lanes, in the form that add takes.
	input(m operand.Mem) operand.Op
	// add adds the products of every lane with an input to sums.
	add(lanes reg.VecVirtual, input operand.Op, sums reg.VecVirtual)
}

// newCoder loads what a run of units needs; the register of the table is free
// again after it.
func newCoder(a *asm, s kernel.Storage) *coder {
	c := &coder{products: a.products(), a: a, storage: s}
	if s == kernel.Int4 {
		format, _ := s.Coded()
		c.table = a.constantVec(a.global("int4", func(i int) uint32 {
			word := uint32(0)
			for j := range 4 {
				word |= uint32(uint8(int(format.Values[i%4*4+j])+kernel.CodeOfZero)) << (8 * j)
			}
			return word
		}))
	}
	return c
}

// quads gives the numbers of a vector of a unit as bytes, four columns of a row
// in a lane: one vector of int8, two of int4.
func (c *coder) quads(m operand.Mem) []reg.VecVirtual {
	a, v := c.a, c.a.vec()
	a.VMOVUPS(m, v)
	if c.storage == kernel.Int8 {
		return []reg.VecVirtual{v}
	}
	low, half := a.vec(), a.constant32("lowHalves", 0x0f0f0f0f)
	a.andMem(half, v, low)
	a.VPSRLD(operand.Imm(4), v, v)
	a.andMem(half, v, v)
	a.VPSHUFB(low, c.table, low)
	a.VPSHUFB(v, c.table, v)
	return []reg.VecVirtual{low, v}
}

// products is the narrowest that the level has instructions for.
func (a *asm) products() products {
	if a.level.has(vnni) {
		return inBytes{a}
	}
	return inWords{a}
}

// scale widens the scales of a unit: those of the first group of a pair, or of
// the second.
func (c *coder) scale(m operand.Mem, second int) reg.VecVirtual {
	a, v := c.a, c.a.vec()
	a.VMOVUPS(m, v)
	if second == 0 {
		a.VPSLLD(operand.Imm(16), v, v)
	} else {
		a.andMem(a.constant32("highHalf", 0xffff0000), v, v)
	}
	return v
}
