package amd64

import (
	"strconv"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/polynomial"
)

// gelu is max(x,0) − |x|·Φ(−|x|), which becomes x: there is no cancellation, so it
// is accurate relative to the result far below zero too, where it is lost in
// what x² is rounded by.
func (a *asm) gelu(x reg.VecVirtual, k *expConstants) {
	size, exponent := a.vec(), a.vec()
	a.andMem(a.constant32("absolute", 0x7fffffff), x, size)
	a.VMINPS(a.float("tailMax", polynomial.TailMax), size, size)
	a.VMULPS(size, size, exponent)
	a.VMULPS(a.float("minusHalf", -0.5), exponent, exponent)
	tail := a.exp([]reg.VecVirtual{exponent}, k)[0]
	a.VMULPS(a.tailFactor(size, k), tail, tail)
	a.relu(x)
	a.VFNMADD231PS(tail, size, x)
}

// tailFactor is Φ(−a)·exp(a²/2).
func (a *asm) tailFactor(size reg.VecVirtual, k *expConstants) reg.VecVirtual {
	inverse, u, p, at := a.vec(), a.vec(), a.vec(), a.float("tailAt", polynomial.TailAt)
	a.VADDPS(at, size, u)
	a.VMOVUPS(k.one, inverse)
	a.VDIVPS(u, inverse, inverse)
	a.VSUBPS(at, size, u)
	a.VMULPS(inverse, u, u)
	c := func(n int) operand.Mem { return a.float("tail"+strconv.Itoa(n), polynomial.Tail[n]) }
	last := len(polynomial.Tail) - 1
	a.VMOVUPS(c(last), p)
	for n := last - 1; n >= 0; n-- {
		a.VFMADD213PS(c(n), u, p)
	}
	a.VMULPS(inverse, p, p)
	return p
}

// geluTanh is x / (1 + e^−v) with v = x·(c + d·x²), the tanh form; x becomes it.
func (a *asm) geluTanh(x reg.VecVirtual, k *expConstants) {
	t := a.vec()
	a.VMULPS(x, x, t)
	a.VMULPS(a.float("geluTanh3", -polynomial.GELUTanh3), t, t)
	a.VADDPS(a.float("geluTanh1", -polynomial.GELUTanh), t, t)
	a.VMULPS(x, t, t)
	a.logistic(t, x, k)
}

// logistic divides x by 1 + e^t.
func (a *asm) logistic(t, x reg.VecVirtual, k *expConstants) {
	e := a.exp([]reg.VecVirtual{t}, k)[0]
	a.VADDPS(k.one, e, e)
	a.VDIVPS(e, x, x)
}
