package amd64

import "github.com/mmcloughlin/avo/reg"

// silu is x / (1 + e⁻ˣ) of several vectors, lane by lane; they become it.
func (a *asm) silu(x []reg.VecVirtual, k *expConstants) {
	t := a.vecs(len(x))
	for i, x := range x {
		a.VXORPS(a.constant32("signBit", 1<<31), x, t[i])
	}
	for i, e := range a.exp(t, k) {
		a.VADDPS(k.one, e, e)
		a.VDIVPS(e, x[i], x[i])
	}
}
