package amd64

import "github.com/mmcloughlin/avo/operand"

// codes walks K where the weights are codes: they are widened in registers, and
// the chain is that of all other weights.
func (g *gemv) codes() {
	rows := g.asm.GP64()
	g.coder.open(g.w, rows)
	g.coder.walk(g.w, g.K, func(s scales, columns int) {
		for i, acc := range g.acc {
			for k, w := range g.coder.widened(g.weights(0, i), s, i*g.asm.bytes(), rows, columns) {
				g.asm.VFMADD231PS(w, g.asm.broadcast(g.x, 4*k), acc)
			}
		}
		g.asm.ADDQ(operand.U32(uint32(4*columns)), g.x)
	})
}
