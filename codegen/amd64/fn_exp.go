package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/polynomial"
)

// expConstants are the operands of exp: registers where the level has many,
// memory where it has few.
type expConstants struct {
	clampLow, clampHigh, log2e, round, ln2High, ln2Low, one operand.Op
	c                                                       [len(polynomial.Exp)]operand.Op
}

func (a *asm) expConstants() *expConstants {
	k := &expConstants{
		clampLow: a.shared("expMin", polynomial.ExpMin), clampHigh: a.shared("expMax", polynomial.ExpMax),
		log2e: a.shared("log2e", math.Log2E), round: a.shared("expRound", polynomial.ExpRound),
		ln2High: a.shared("ln2High", polynomial.Ln2High), ln2Low: a.shared("ln2Low", polynomial.Ln2Low), one: a.shared("one", 1),
	}
	names := [...]string{"expC2", "expC3", "expC4", "expC5", "expC6"}
	for i, c := range polynomial.Exp {
		k.c[i] = a.shared(names[i], c)
	}
	return k
}

// shared is a constant that a function uses often: in a register where the
// level has 32 of them.
func (a *asm) shared(name string, v float32) operand.Op {
	m := a.float(name, v)
	if a.level.registers < 32 {
		return m
	}
	return a.constantVec(m)
}

// exp replaces each of several vectors by its eˣ lane by lane, within 1.3 units
// in the last place; 0 where the result would be less than half the smallest
// normal number, +Inf above 2.4e38, NaN for NaN. Every level gives the same
// bits. A step is emitted for all vectors before the next step is: the steps of
// one wait for each other, and a processor sees only so many instructions
// ahead.
func (a *asm) exp(x []reg.VecVirtual, k *expConstants) []reg.VecVirtual {
	n, scale := a.vecs(len(x)), a.vecs(len(x))
	// min and max return their second source where one is NaN, so x is it.
	for i, t := range x {
		a.VMOVUPS(k.clampHigh, n[i])
		a.VMINPS(t, n[i], t)
	}
	for i, t := range x {
		a.VMOVUPS(k.clampLow, n[i])
		a.VMAXPS(t, n[i], t)
	}
	for i, t := range x {
		a.VMOVUPS(k.round, n[i])
		a.VFMADD231PS(k.log2e, t, n[i])
	}
	for i := range x {
		a.VPSLLD(operand.Imm(23), n[i], scale[i])
		a.VSUBPS(k.round, n[i], n[i])
	}
	for i, t := range x {
		a.VFNMADD231PS(k.ln2High, n[i], t)
	}
	for i, t := range x {
		a.VFNMADD231PS(k.ln2Low, n[i], t)
	}
	p := a.polynomials(x, k)
	for i := range x {
		a.VMULPS(scale[i], p[i], p[i])
	}
	return p
}

// polynomials are 1 + r + r²·(c2 + c3·r + r²·(c4 + c5·r + c6·r²)): as many
// instructions as Horner's form, in half the steps that wait for each other.
func (a *asm) polynomials(r []reg.VecVirtual, k *expConstants) []reg.VecVirtual {
	p, square, high := a.vecs(len(r)), a.vecs(len(r)), a.vecs(len(r))
	for i, r := range r {
		a.VMULPS(r, r, square[i])
		a.VMOVUPS(k.c[3], high[i])
		a.VFMADD213PS(k.c[2], r, high[i])
		a.VMOVUPS(k.c[1], p[i])
		a.VFMADD213PS(k.c[0], r, p[i])
	}
	for i := range r {
		a.VFMADD231PS(k.c[4], square[i], high[i])
	}
	for i, r := range r {
		a.VFMADD231PS(high[i], square[i], p[i])
		a.VADDPS(k.one, r, r)
	}
	for i, r := range r {
		a.VFMADD213PS(r, square[i], p[i])
	}
	return p
}
