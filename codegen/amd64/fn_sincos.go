package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/polynomial"
)

// sincos is the sine and the cosine of angles of some circles at most; x is lost.
func (a *asm) sincos(x reg.VecVirtual) (sin, cos reg.VecVirtual) {
	quadrant, square := a.remainder(x), a.vec()
	sin, cos = a.vec(), a.vec()
	a.VMULPS(x, x, square)
	a.odd("sin", polynomial.Sin[:], x, square, sin)
	a.horner("cos", polynomial.Cos[:], square, cos)
	a.VFMADD213PS(operand.Op(a.float("minusHalf", -0.5)), square, cos)
	a.VFMADD213PS(operand.Op(a.float("one", 1)), square, cos)
	// Odd quadrants exchange the two.
	exchanged := a.vec()
	a.VPSLLD(operand.Imm(31), quadrant, exchanged)
	a.VPSRAD(operand.Imm(31), exchanged, exchanged)
	a.VXORPS(sin, cos, square)
	a.and(exchanged, square, square)
	a.VXORPS(square, sin, sin)
	a.VXORPS(square, cos, cos)
	// The sine is negative in the quadrants 2 and 3, the cosine in 1 and 2.
	a.signed(sin, quadrant)
	a.VPADDD(a.constant32("oneInteger", 1), quadrant, quadrant)
	a.signed(cos, quadrant)
	return sin, cos
}

// signed negates x where bit 1 of n is set.
func (a *asm) signed(x, n reg.VecVirtual) {
	sign := a.vec()
	a.VPSLLD(operand.Imm(30), n, sign)
	a.andMem(a.constant32("signBit", 1<<31), sign, sign)
	a.VXORPS(sign, x, x)
}

// circled turns angles into the first circle, from 0 to 2π; one that lies there
// stays as it is.
func (a *asm) circled(x reg.VecVirtual) {
	circles := a.vec()
	a.VMOVUPS(a.float("minusHalf", -0.5), circles)
	a.VFMADD231PS(a.float("circleInverse", 1/(2*math.Pi)), x, circles)
	a.VADDPS(a.float("quarterRound", polynomial.QuarterRound), circles, circles)
	a.less("circle", 4, circles, x)
}

// remainder leaves of x what is nearest to zero when some quarters of a circle are
// taken off; their number is in the low bits of the result.
func (a *asm) remainder(x reg.VecVirtual) reg.VecVirtual {
	quarters := a.vec()
	a.VMOVUPS(a.float("quarterRound", polynomial.QuarterRound), quarters)
	a.VFMADD231PS(a.float("quarterInverse", 2/math.Pi), x, quarters)
	a.less("quarter", 1, quarters, x)
	return quarters
}

// less takes from x so many quarters of a circle, times the number that n has in
// its low bits.
func (a *asm) less(name string, quarters float32, n, x reg.VecVirtual) {
	whole := a.vec()
	a.VSUBPS(a.float("quarterRound", polynomial.QuarterRound), n, whole)
	a.VFNMADD231PS(a.float(name+"High", quarters*polynomial.QuarterHigh), whole, x)
	a.VFNMADD231PS(a.float(name+"Low", quarters*polynomial.QuarterLow), whole, x)
}
