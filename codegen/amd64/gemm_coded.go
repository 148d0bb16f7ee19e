package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// widenCodes is widen for weights that are codes.
func (g *gemm) widenCodes(columns int) reg.GPVirtual {
	from, to := g.asm.GP64(), g.asm.pointer("scratch")
	g.asm.MOVQ(g.w, from)
	c, rows := newExactCoder(g.asm, g.Storage), g.asm.rowScales(g.Storage)
	c.walk(from, columns, func(s scales, n int) {
		for at := 0; at < panelBytes; at += g.asm.bytes() {
			for k, v := range c.widened(operand.Mem{Base: from, Disp: at}, s, at, rows, n) {
				g.asm.VMOVUPS(v, operand.Mem{Base: to, Disp: k*panelBytes + at})
			}
		}
		g.asm.ADDQ(operand.U32(uint32(n*panelBytes)), to)
	})
	return g.asm.pointer("scratch")
}
