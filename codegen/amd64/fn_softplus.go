package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/polynomial"
)

// softplus is max(x,0) + log(1 + e^−|x|) of several vectors, lane by lane; they
// become it. There is no cancellation anywhere, so it is accurate relative to
// the result for x far below zero, and equal to x far above.
func (a *asm) softplus(x []reg.VecVirtual, k *expConstants) {
	t := a.vecs(len(x))
	for i, x := range x {
		a.VORPS(a.constant32("signBit", 1<<31), x, t[i])
	}
	s, z, g := a.vecs(len(x)), a.vecs(len(x)), a.vecs(len(x))
	for i, v := range a.exp(t, k) {
		a.VADDPS(a.float("two", 2), v, s[i])
		a.VDIVPS(s[i], v, s[i])
		a.VMULPS(s[i], s[i], z[i])
	}
	names := [...]string{"atanh0", "atanh1", "atanh2", "atanh3"}
	for i := range x {
		a.VMOVUPS(a.float(names[3], polynomial.Atanh[3]), g[i])
	}
	for n := 2; n >= 0; n-- {
		for i := range x {
			a.VFMADD213PS(operand.Op(a.float(names[n], polynomial.Atanh[n])), z[i], g[i])
		}
	}
	zero := a.vec()
	a.zero(zero)
	for i, x := range x {
		a.VMULPS(s[i], z[i], z[i])
		a.VADDPS(s[i], s[i], s[i])
		a.VFMADD213PS(s[i], z[i], g[i])
		// max returns its second source where one is NaN.
		a.VMAXPS(x, zero, x)
		a.VADDPS(x, g[i], x)
	}
}
