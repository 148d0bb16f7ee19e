package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// codes walks K where the weights are codes: they are widened in registers, and
// the chain is that of all other weights.
func (g *gemv) codes() {
	g.coder.walk(g.w, g.K, func(scales reg.GPVirtual, second, columns int) {
		for i, acc := range g.acc {
			scale := g.coder.scale(operand.Mem{Base: scales, Disp: i * g.asm.bytes()}, second)
			for k, w := range g.coder.widened(g.weights(0, i), scale, columns) {
				g.asm.VFMADD231PS(w, g.asm.broadcast(g.x, 4*k), acc)
			}
		}
		g.asm.ADDQ(operand.U32(uint32(4*columns)), g.x)
	})
}
