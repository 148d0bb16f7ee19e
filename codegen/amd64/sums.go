package amd64

import "github.com/mmcloughlin/avo/operand"

// clearSums begins the sums of every token: those of a panel, which rest in
// scratch from byte at on.
func (a *asm) clearSums(at int) {
	zero := a.vec()
	a.zero(zero)
	sums, n, loop := a.pointer("scratch"), a.integer("tokens"), a.label("token")
	a.ADDQ(operand.U32(uint32(at)), sums)
	a.legend("Sums begin at zero.", holds("sums", sums), holds("tokens left", n))
	a.Label(loop)
	for at := 0; at < panelBytes; at += a.bytes() {
		a.VMOVUPS(zero, operand.Mem{Base: sums, Disp: at})
	}
	a.ADDQ(operand.U32(panelBytes), sums)
	a.DECQ(n)
	a.JNZ(operand.LabelRef(loop))
}
