package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/polynomial"
)

// exp2Constants are the operands of 2ˣ; the two that would be loaded most often
// are in registers at every level.
type exp2Constants struct {
	clampLow, round reg.VecVirtual
	one             operand.Op
	c               [len(polynomial.Exp2)]operand.Op
}

func (a *asm) exp2Constants() *exp2Constants {
	k := &exp2Constants{
		clampLow: a.constantVec(a.float("exp2Min", polynomial.Exp2Min)),
		round:    a.constantVec(a.float("expRound", polynomial.ExpRound)),
		one:      a.shared("one", 1),
	}
	names := [...]string{"exp2C1", "exp2C2", "exp2C3", "exp2C4", "exp2C5", "exp2C6"}
	for i, c := range polynomial.Exp2 {
		k.c[i] = a.shared(names[i], c)
	}
	return k
}

// exp2 is 2ˣ of each of several vectors that have no element above 128, as the
// exponents that a state decays by; 0 below −126.5. x is overwritten. A step is
// emitted for all vectors before the next step is. Horner's form: the loop that
// needs this is bound by the number of multiply-adds, and the steps of the next
// vectors fill the waits.
func (a *asm) exp2(x []reg.VecVirtual, k *exp2Constants) []reg.VecVirtual {
	n, scale, p := a.vecs(len(x)), a.vecs(len(x)), a.vecs(len(x))
	for i, t := range x {
		a.VMAXPS(t, k.clampLow, t) // the second source where one is NaN
		a.VADDPS(k.round, t, n[i])
	}
	for i, t := range x {
		a.VPSLLD(operand.Imm(23), n[i], scale[i])
		a.VSUBPS(k.round, n[i], n[i])
		a.VSUBPS(n[i], t, t)
	}
	last := len(k.c) - 1
	a.VMOVUPS(k.c[last-1], p[0])
	for _, copied := range p[1:] {
		a.VMOVAPS(p[0], copied)
	}
	for i, f := range x {
		a.VFMADD231PS(k.c[last], f, p[i])
	}
	for n := last - 2; n >= 0; n-- {
		for i, f := range x {
			a.VFMADD213PS(k.c[n], f, p[i])
		}
	}
	for i, f := range x {
		a.VFMADD213PS(k.one, f, p[i])
	}
	for i := range x {
		a.VMULPS(scale[i], p[i], p[i])
	}
	return p
}
