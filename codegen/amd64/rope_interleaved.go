package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// neighbours is what turning pairs of neighbours needs: where each lane's angle
// is among those of half as many pairs, the sign of an even lane, and what there
// is of a last vector and of its angles.
type neighbours struct {
	pairs, signs reg.VecVirtual
	last, angles tailMask
}

func (r *rope) prepareNeighbours() {
	a, rest := r.asm, r.Rotary%r.asm.level.lanes
	r.neighbours = neighbours{
		pairs: a.constantVec(a.global("pairs", func(i int) uint32 { return uint32(i / 2) })),
		signs: a.constantVec(a.global("evenSigns", func(i int) uint32 { return uint32(1-i%2) << 31 })),
		last:  a.tail(rest, 1)[0], angles: a.tail(rest/2, 1)[0],
	}
}

// turnNeighbours turns the pairs of a head, a vector of both elements a turn: y =
// x·cos ± x'·sin, where x' has the elements of each pair in the other order.
func (r *rope) turnNeighbours(x, y, angles reg.GPVirtual) {
	a, whole := r.asm, r.Rotary/r.asm.level.lanes
	if whole > 0 {
		at, loop := a.GP64(), a.label("pairs")
		a.XORQ(at, at)
		a.legend("Pairs of neighbours, a vector a turn.", holds("byte of the angles", at))
		a.Label(loop)
		r.vector(tailMask{all: true}, tailMask{all: true}, operand.Mem{Base: x, Index: at, Scale: 2}, operand.Mem{Base: y, Index: at, Scale: 2},
			operand.Mem{Base: angles, Index: at, Scale: 1})
		a.ADDQ(operand.U32(uint32(a.bytes()/2)), at)
		a.CMPQ(at, operand.U32(uint32(whole*a.bytes()/2)))
		a.JLT(operand.LabelRef(loop))
	}
	if m := r.neighbours.last; !m.none {
		at := whole * a.bytes()
		r.vector(m, r.neighbours.angles, operand.Mem{Base: x, Disp: at}, operand.Mem{Base: y, Disp: at}, operand.Mem{Base: angles, Disp: at / 2})
	}
}

// vector turns the pairs of a vector, some of which may be absent.
func (r *rope) vector(present, angles tailMask, x, y, cosines operand.Mem) {
	a, sines := r.asm, cosines
	sines.Disp += 2 * r.Rotary
	cos, sin := r.spread(angles, cosines), r.spread(angles, sines)
	v, turned := a.load(present, x), a.vec()
	a.VMULPS(cos, v, turned)
	a.VPERMILPS(operand.Imm(0xb1), v, v)
	a.VXORPS(r.neighbours.signs, sin, sin)
	a.VFMADD231PS(sin, v, turned)
	a.store(present, turned, y)
}

// spread loads angles for half a vector and gives each to two lanes.
func (r *rope) spread(m tailMask, from operand.Mem) reg.VecVirtual {
	a, half, v := r.asm, reg.VecVirtual(r.asm.XMM()), r.asm.vec()
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
		a.VPERMPS(half.AsZ(), r.neighbours.pairs, v)
	} else {
		a.VPERMPS(half.AsY(), r.neighbours.pairs, v)
	}
	return v
}
