package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// epilogue adds the bias, then the residual, to accumulators.
type epilogue struct {
	a              *asm
	bias, residual reg.GPVirtual // nil where there is none
}

func (a *asm) epilogue(e kernel.Epilogue) *epilogue {
	p := &epilogue{a: a}
	if e.Bias {
		p.bias = a.pointer("bias")
	}
	if e.Residual {
		p.residual = a.pointer("residual")
	}
	return p
}

// apply finishes one accumulator: its rows begin at byte row of the bias and
// its outputs at byte at of the residual beyond the current pointers.
func (e *epilogue) apply(acc reg.VecVirtual, row, at int) {
	if e.bias != nil {
		e.a.VADDPS(operand.Mem{Base: e.bias, Disp: row}, acc, acc)
	}
	if e.residual != nil {
		e.a.VADDPS(operand.Mem{Base: e.residual, Disp: row + at}, acc, acc)
	}
}

// nextPanel moves both pointers by 48 rows.
func (e *epilogue) nextPanel() {
	for _, p := range []reg.GPVirtual{e.bias, e.residual} {
		if p != nil {
			e.a.ADDQ(operand.U32(panelBytes), p)
		}
	}
}
