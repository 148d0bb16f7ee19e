package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// eachToken runs body for every token of a matrix product, with a pointer to its
// sums: those of a panel, which rest in scratch from byte at on.
func (a *asm) eachToken(at int, sentence string, body func(sums reg.GPVirtual)) {
	sums, n, loop := a.pointer("scratch"), a.integer("tokens"), a.label("token")
	a.ADDQ(operand.U32(uint32(at)), sums)
	a.legend(sentence, holds("sums", sums), holds("tokens left", n))
	a.Label(loop)
	body(sums)
	a.ADDQ(operand.U32(panelBytes), sums)
	a.DECQ(n)
	a.JNZ(operand.LabelRef(loop))
}

// clearSums begins the sums of every token.
func (a *asm) clearSums(at int) {
	zero := a.vec()
	a.zero(zero)
	a.eachToken(at, "Sums begin at zero.", func(sums reg.GPVirtual) {
		for at := 0; at < panelBytes; at += a.bytes() {
			a.VMOVUPS(zero, operand.Mem{Base: sums, Disp: at})
		}
	})
}
