package amd64

import "github.com/mmcloughlin/avo/reg"

// silu is x / (1 + e⁻ˣ) lane by lane.
func (a *asm) silu(x reg.VecVirtual, k *expConstants) reg.VecVirtual {
	t := a.vec()
	a.VXORPS(a.constant32("signBit", 1<<31), x, t)
	e := a.exp(t, k)
	a.VADDPS(k.one, e, e)
	y := a.vec()
	a.VDIVPS(e, x, y)
	return y
}
