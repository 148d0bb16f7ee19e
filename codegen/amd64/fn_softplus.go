package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// atanhCoefficients are g of log(1+v) = 2·atanh(s) ≈ 2s + s·z·g(z) with
// s = v/(2+v), z = s² ≤ 1/9: least maximal relative error (4.6e-9 before
// rounding), by Remez exchange in float64.
var atanhCoefficients = [...]float32{0.6666641, 0.400217, 0.27999142, 0.2802446}

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
	a.VMOVUPS(a.float(names[3], atanhCoefficients[3]), g)
	for i := 2; i >= 0; i-- {
		a.VFMADD213PS(operand.Op(a.float(names[i], atanhCoefficients[i])), z, g)
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
