package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// neighbours turns pairs of neighbours: where each lane's angle is among those of
// half as many pairs, and the sign of an even lane.
type neighbours struct {
	asm          *asm
	pairs, signs reg.VecVirtual
}

func (a *asm) neighbours() *neighbours {
	return &neighbours{
		asm:   a,
		pairs: a.constantVec(a.global("pairs", func(i int) uint32 { return uint32(i / 2) })),
		signs: a.constantVec(a.global("evenSigns", func(i int) uint32 { return uint32(1-i%2) << 31 })),
	}
}

// each emits body for every vector of n elements, with where they and half as
// many angles are; last and angles select those of a last vector.
func (p *neighbours) each(n int, last, angles tailMask, body func(present, angles tailMask, at, angle element)) {
	a, whole := p.asm, n/p.asm.level.lanes
	if whole > 0 {
		half, loop := a.GP64(), a.label("pairs")
		a.XORQ(half, half)
		a.legend("Pairs of neighbours, a vector a turn.", holds("byte of the angles", half))
		a.Label(loop)
		step := func(scale uint8) element {
			return func(base reg.GPVirtual, displacement int) operand.Mem {
				return operand.Mem{Base: base, Index: half, Scale: scale, Disp: displacement}
			}
		}
		body(tailMask{all: true}, tailMask{all: true}, step(2), step(1))
		a.ADDQ(operand.U32(uint32(a.bytes()/2)), half)
		a.CMPQ(half, operand.U32(uint32(whole*a.bytes()/2)))
		a.JLT(operand.LabelRef(loop))
	}
	if !last.none {
		past := func(bytes int) element {
			return func(base reg.GPVirtual, displacement int) operand.Mem {
				return operand.Mem{Base: base, Disp: displacement + bytes}
			}
		}
		body(last, angles, past(whole*a.bytes()), past(whole*a.bytes()/2))
	}
}

// turn turns the pairs of a vector, some of whose angles may be absent: x·cos ±
// x'·sin, where x' has the elements of each pair in the other order. x is lost.
func (p *neighbours) turn(x reg.VecVirtual, angles tailMask, cosines, sines operand.Mem) reg.VecVirtual {
	a, turned := p.asm, p.asm.vec()
	cos, sin := p.spread(angles, cosines), p.spread(angles, sines)
	a.VMULPS(cos, x, turned)
	a.VPERMILPS(operand.Imm(0xb1), x, x)
	a.VXORPS(p.signs, sin, sin)
	a.VFMADD231PS(sin, x, turned)
	return turned
}

// spread loads angles for half a vector and gives each to two lanes.
func (p *neighbours) spread(m tailMask, from operand.Mem) reg.VecVirtual {
	a, half, v := p.asm, reg.VecVirtual(p.asm.XMM()), p.asm.vec()
	if a.level.lanes == 16 {
		half = a.YMM()
	}
	switch {
	case m.all:
		a.VMOVUPS(from, half)
	case m.opmask != nil:
		a.VMOVUPS_Z(from, m.opmask, half)
	default:
		a.VMASKMOVPS(from, m.vector.AsX(), half)
	}
	if a.level.lanes == 16 {
		a.VPERMPS(half.AsZ(), p.pairs, v)
	} else {
		a.VPERMPS(half.AsY(), p.pairs, v)
	}
	return v
}
