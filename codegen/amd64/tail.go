package amd64

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tailMask selects, of one vector of a run's last elements, those that exist.
type tailMask struct {
	opmask reg.Register   // on levels that have them
	vector reg.VecVirtual // elsewhere
	none   bool           // no element exists
	all    bool           // every element exists
}

// tail prepares the selection of the first n elements of some vectors.
func (a *asm) tail(n, vectors int) []tailMask {
	var list []tailMask
	for i := range vectors {
		n := min(max(n-i*a.level.lanes, 0), a.level.lanes)
		m := tailMask{none: n == 0, all: n == a.level.lanes}
		switch {
		case m.none || m.all:
		case a.level.lanes == 16:
			bits := a.GP32()
			k := a.K()
			a.MOVL(operand.U32(1<<n-1), bits)
			a.KMOVW(bits, k)
			m.opmask = k
		default:
			m.vector = a.constantVec(a.global("first"+string(rune('0'+n)), func(lane int) uint32 {
				if lane < n {
					return 0xffffffff
				}
				return 0
			}))
		}
		list = append(list, m)
	}
	return list
}

// wholeVectors selects every element of n vectors.
func wholeVectors(n int) []tailMask { return slices.Repeat([]tailMask{{all: true}}, n) }

// load reads one vector of the tail, absent elements as zero.
func (a *asm) load(m tailMask, from operand.Mem) reg.VecVirtual {
	v := a.vec()
	switch {
	case m.all:
		a.VMOVUPS(from, v)
	case m.opmask != nil:
		a.VMOVUPS_Z(from, m.opmask, v)
	default:
		a.VMASKMOVPS(from, m.vector, v)
	}
	return v
}

// store writes one vector of the tail, leaving absent elements alone.
func (a *asm) store(m tailMask, v reg.VecVirtual, to operand.Mem) {
	switch {
	case m.all:
		a.VMOVUPS(v, to)
	case m.opmask != nil:
		a.VMOVUPS(v, m.opmask, to)
	default:
		a.VMASKMOVPS(v, m.vector, to)
	}
}

// keep clears the absent elements of a vector.
func (a *asm) keep(m tailMask, v reg.VecVirtual) {
	switch {
	case m.all:
	case m.none:
		a.zero(v)
	case m.opmask != nil:
		a.VMOVUPS_Z(v, m.opmask, v)
	default:
		a.and(m.vector, v, v)
	}
}
