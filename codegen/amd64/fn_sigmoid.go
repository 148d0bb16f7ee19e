package amd64

import "github.com/mmcloughlin/avo/reg"

// sigmoid is 1 / (1 + e^−x), which becomes x.
func (a *asm) sigmoid(x reg.VecVirtual, k *expConstants) {
	t := a.vec()
	a.VXORPS(a.constant32("signBit", 1<<31), x, t)
	a.VMOVUPS(k.one, x)
	a.logistic(t, x, k)
}
