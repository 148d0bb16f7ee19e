package amd64

import (
	"strconv"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// normLanes is the number of partial sums of a norm, the same in every level.
const normLanes = 16

// normVectors is the number of registers that they take.
func (a *asm) normVectors() int { return normLanes / a.level.lanes }

// zeros is n registers that hold 0.
func (a *asm) zeros(n int) []reg.VecVirtual {
	list := a.vecs(n)
	for _, v := range list {
		a.zero(v)
	}
	return list
}

// mean is the first lane of a sum, divided by the number of elements.
func (a *asm) mean(sums []reg.VecVirtual, elements int) reg.VecVirtual {
	t := a.sumLanes(sums)
	a.VDIVSS(a.float("width"+strconv.Itoa(elements), float32(elements)), t, t)
	return t
}

// normScale turns a mean into 1/√(mean+eps) in all lanes, each step correctly
// rounded.
func (a *asm) normScale(mean reg.VecVirtual, eps float32, epsBits uint32) reg.VecVirtual {
	one := a.XMM()
	a.VADDSS(a.float("eps"+strconv.Itoa(int(epsBits)), eps), mean, mean)
	a.VSQRTSS(mean, mean, mean)
	a.VMOVSS(a.float("one", 1), one)
	a.VDIVSS(mean, one, mean)
	v := a.vec()
	a.VBROADCASTSS(mean, v)
	return v
}

// squares adds the squares of a run of elements to new sums, lane by lane.
func (r *run) squares(x reg.GPVirtual) []reg.VecVirtual {
	sums := r.asm.zeros(r.vectors)
	r.each("Squares of 16 elements a turn.", func(i int, m tailMask, at element) {
		v := r.asm.load(m, at(x, 0))
		r.asm.VFMADD231PS(v, v, sums[i])
	}, holds("sums", sums...), holds("inputs", x))
	return sums
}

// times multiplies by a vector of memory, of which some elements may be absent.
func (a *asm) times(m tailMask, by operand.Mem, v reg.VecVirtual) {
	if m.all {
		a.VMULPS(by, v, v)
		return
	}
	a.VMULPS(a.load(m, by), v, v)
}
