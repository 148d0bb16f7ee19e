package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// coder makes of the codes of a unit what dot products multiply: unsigned
// numbers, value + kernel.CodeOfZero, as words, pairs of columns of one row in
// a lane of 32 bits.
type coder struct {
	a       *asm
	storage kernel.Storage
	table   reg.VecVirtual // of int4: a number for each code
}

// newCoder loads what a run of units needs; the register of the table is free
// again after it.
func newCoder(a *asm, s kernel.Storage) *coder {
	c := &coder{a: a, storage: s}
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

// words widens quads to two vectors of words: columns 0 and 1, 2 and 3.
func (c *coder) words(quad reg.VecVirtual) (first, second reg.VecVirtual) {
	a := c.a
	first, second = a.vec(), a.vec()
	a.VPSHUFB(a.wordsOf(0), quad, first)
	a.VPSHUFB(a.wordsOf(2), quad, second)
	return first, second
}

// wordsOf is a shuffle that makes words of bytes b and b+1 of every lane.
func (a *asm) wordsOf(b uint32) operand.Mem {
	name := map[uint32]string{0: "firstPair", 2: "secondPair"}[b]
	return a.global(name, func(i int) uint32 {
		from := uint32(i%4*4) + b
		return from | 0x80<<8 | (from+1)<<16 | 0x80<<24
	})
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
