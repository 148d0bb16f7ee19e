package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// expCoefficients are c2 … c6 of eʳ ≈ 1 + r + r²·(c2 + r·(c3 + …)) on
// |r| ≤ ln2/2: least maximal relative error (3.1e-9 before rounding), by Remez
// exchange in float64.
var expCoefficients = [...]float32{0.49999994, 0.16666521, 0.04166839, 0.0083687167, 0.0013814599}

// Constants of the range reduction x = n·ln2 + r.
const (
	expClamp = 104               // beyond it the result is +Inf or 0
	expRound = 3 << 22           // adding it rounds to an integer in the low bits
	ln2High  = 0.693145751953125 // so few bits that n·ln2High is exact
	ln2Low   = 1.42860677e-06
)

// expConstants are the operands of exp: registers where the level has many,
// memory where it has few.
type expConstants struct {
	clampLow, clampHigh, log2e, round, ln2High, ln2Low, one operand.Op
	c                                                       [len(expCoefficients)]operand.Op
}

func (a *asm) expConstants() *expConstants {
	k := &expConstants{
		clampLow: a.shared("expMin", -expClamp), clampHigh: a.shared("expMax", expClamp),
		log2e: a.shared("log2e", math.Log2E), round: a.shared("expRound", expRound),
		ln2High: a.shared("ln2High", ln2High), ln2Low: a.shared("ln2Low", ln2Low), one: a.shared("one", 1),
	}
	names := [...]string{"expC2", "expC3", "expC4", "expC5", "expC6"}
	for i, c := range expCoefficients {
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

// exp is eˣ lane by lane, within 1.3 units in the last place; +Inf beyond the
// range, correctly rounded denormals below it, NaN for NaN. Every level gives
// the same bits: the final scaling by 2ⁿ rounds once in both forms.
func (a *asm) exp(x reg.VecVirtual, k *expConstants) reg.VecVirtual {
	t, n, p := a.vec(), a.vec(), a.vec()
	// min and max return their second source where one is NaN, so x is it.
	a.VMOVUPS(k.clampHigh, t)
	a.VMINPS(x, t, t)
	a.VMOVUPS(k.clampLow, n)
	a.VMAXPS(t, n, t)
	a.VMOVUPS(k.round, n)
	a.VFMADD231PS(k.log2e, t, n)
	scale := a.vec()
	if a.level.lanes < 16 {
		a.VPSUBD(a.float("expRound", expRound), n, scale)
	}
	a.VSUBPS(k.round, n, n)
	a.VFNMADD231PS(k.ln2High, n, t)
	a.VFNMADD231PS(k.ln2Low, n, t)
	a.polynomial(t, p, k)
	if a.level.lanes == 16 {
		a.VSCALEFPS(n, p, p)
		return p
	}
	a.scale(p, scale)
	return p
}

// polynomial is p = 1 + r + r²·(c2 + c3·r + r²·(c4 + c5·r + c6·r²)): as many
// instructions as Horner's form, in half the steps that wait for each other.
func (a *asm) polynomial(r, p reg.VecVirtual, k *expConstants) {
	square, high := a.vec(), a.vec()
	a.VMULPS(r, r, square)
	a.VMOVUPS(k.c[3], high)
	a.VFMADD213PS(k.c[2], r, high)
	a.VMOVUPS(k.c[1], p)
	a.VFMADD213PS(k.c[0], r, p)
	a.VFMADD231PS(k.c[4], square, high)
	a.VFMADD231PS(high, square, p)
	a.VADDPS(k.one, r, r)
	a.VFMADD213PS(r, square, p)
}

// scale multiplies by 2ⁿ in two steps, of which the first is exact and the
// second rounds: n reaches below the exponents of normal numbers.
func (a *asm) scale(p, n reg.VecVirtual) {
	half := a.vec()
	a.VPSRAD(operand.Imm(1), n, half)
	a.VPSUBD(half, n, n)
	for _, part := range []reg.VecVirtual{half, n} {
		a.VPSLLD(operand.Imm(23), part, part)
		a.VPADDD(a.constant32("exponentOne", math.Float32bits(1)), part, part)
		a.VMULPS(part, p, p)
	}
}
