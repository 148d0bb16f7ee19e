package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/polynomial"
)

// softplus is max(x,0) + log(1 + e^−|x|) lane by lane: no cancellation
// anywhere, so it is accurate relative to the result for x far below zero,
// and equal to x far above.
func (a *asm) softplus(x reg.VecVirtual, k *expConstants) reg.VecVirtual {
	t := a.vec()
	a.VORPS(a.constant32("signBit", 1<<31), x, t)
	v := a.exp(t, k)
	s, z, g := a.vec(), a.vec(), a.vec()
	a.VADDPS(a.float("two", 2), v, s)
	a.VDIVPS(s, v, s)
	a.VMULPS(s, s, z)
	names := [...]string{"atanh0", "atanh1", "atanh2", "atanh3"}
	a.VMOVUPS(a.float(names[3], polynomial.Atanh[3]), g)
	for i := 2; i >= 0; i-- {
		a.VFMADD213PS(operand.Op(a.float(names[i], polynomial.Atanh[i])), z, g)
	}
	a.VMULPS(s, z, z)
	a.VADDPS(s, s, s)
	a.VFMADD213PS(s, z, g)
	// max returns its second source where one is NaN.
	a.zero(t)
	a.VMAXPS(x, t, t)
	a.VADDPS(t, g, g)
	return g
}
