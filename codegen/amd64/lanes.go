package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sumLanes adds 16 lanes as a tree: j and j+8, then j+4, j+2, j+1.
func (a *asm) sumLanes(v []reg.VecVirtual) reg.VecVirtual {
	half := a.YMM()
	if len(v) == 2 {
		a.VADDPS(v[1].AsY(), v[0].AsY(), half)
	} else {
		a.VEXTRACTF64X4(operand.Imm(1), v[0], half)
		a.VADDPS(half, v[0].AsY(), half)
	}
	quarter := a.XMM()
	if a.level.lanes == 16 {
		a.VEXTRACTF32X4(operand.Imm(1), half, quarter)
	} else {
		a.VEXTRACTF128(operand.Imm(1), half, quarter)
	}
	a.VADDPS(quarter, half.AsX(), quarter)
	other := a.XMM()
	a.VPERMILPS(operand.Imm(0x0e), quarter, other)
	a.VADDPS(other, quarter, quarter)
	a.VPERMILPS(operand.Imm(0x01), quarter, other)
	a.VADDSS(other, quarter, quarter)
	return quarter
}
