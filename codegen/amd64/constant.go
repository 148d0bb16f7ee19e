package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// constant32 is a read-only vector with the same 32 bits in all lanes.
func (a *asm) constant32(name string, bits uint32) operand.Mem {
	return a.global(name, func(int) uint32 { return bits })
}

// float is constant32 of a float32.
func (a *asm) float(name string, v float32) operand.Mem {
	return a.constant32(name, math.Float32bits(v))
}

// global declares a vector of words once per file and refers to it.
func (a *asm) global(name string, word func(i int) uint32) operand.Mem {
	name += "_" + a.level.level.Name
	if !a.constants[name] {
		a.constants[name] = true
		a.StaticGlobal(name)
		a.DataAttributes(attr.RODATA | attr.NOPTR)
		for i := 0; i < a.level.lanes; i += 2 {
			a.AddDatum(4*i, operand.U64(uint64(word(i))|uint64(word(i+1))<<32))
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
