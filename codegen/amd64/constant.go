package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// constant32 is a read-only vector with the same 32 bits in all 16 lanes, so
// that levels of any width can use it as a memory operand.
func (a *asm) constant32(name string, bits uint32) operand.Mem {
	return a.global(name, func(int) uint32 { return bits })
}

// float is constant32 of a float32.
func (a *asm) float(name string, v float32) operand.Mem {
	return a.constant32(name, math.Float32bits(v))
}

// global declares 16 words once per file and refers to them.
func (a *asm) global(name string, word func(i int) uint32) operand.Mem {
	name += "_" + a.level.level.Name
	if !a.constants[name] {
		a.constants[name] = true
		a.StaticGlobal(name)
		a.DataAttributes(attr.RODATA | attr.NOPTR)
		for i := range 16 {
			a.AddDatum(4*i, operand.U32(word(i)))
		}
	}
	return operand.NewDataAddr(operand.NewStaticSymbol(name), 0)
}

// constantVec loads a constant into a register.
func (a *asm) constantVec(m operand.Mem) reg.VecVirtual {
	v := a.vec()
	a.VMOVUPS(m, v)
	return v
}
