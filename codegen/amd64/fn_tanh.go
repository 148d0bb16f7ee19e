package amd64

import (
	"strconv"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/polynomial"
)

// tanh is a polynomial near zero, else 1 − 2/(e^2|x| + 1) with the sign of x, which
// becomes it.
func (a *asm) tanh(x reg.VecVirtual, k *expConstants) {
	sign, size, near := a.vec(), a.vec(), a.vec()
	a.andMem(a.constant32("signBit", 1<<31), x, sign)
	a.andMem(a.constant32("absolute", 0x7fffffff), x, size)
	a.VADDPS(size, size, x)
	far := a.exp([]reg.VecVirtual{x}, k)[0]
	a.VADDPS(k.one, far, far)
	a.VMOVUPS(a.float("two", 2), near)
	a.VDIVPS(far, near, near)
	a.VMOVUPS(k.one, far)
	a.VSUBPS(near, far, far)
	a.VMULPS(size, size, x)
	a.odd("tanh", polynomial.Tanh[:], size, x, near)
	// All bits where the size is less than the border.
	a.VSUBPS(a.float("tanhNear", polynomial.TanhNear), size, size)
	a.VPSRAD(operand.Imm(31), size, size)
	a.choose(size, near, far)
	a.VXORPS(sign, far, x)
}

// odd is x + x³·(c0 + x²·(c1 + …)).
func (a *asm) odd(name string, c []float32, x, square, result reg.VecVirtual) {
	a.horner(name, c, square, result)
	a.VMULPS(square, result, result)
	a.VFMADD213PS(x, x, result)
}

// horner is c0 + x·(c1 + x·(c2 + …)).
func (a *asm) horner(name string, c []float32, x, result reg.VecVirtual) {
	last := len(c) - 1
	a.VMOVUPS(a.float(name+strconv.Itoa(last), c[last]), result)
	for n := last - 1; n >= 0; n-- {
		a.VFMADD213PS(operand.Op(a.float(name+strconv.Itoa(n), c[n])), x, result)
	}
}

// choose replaces y by x where the mask has all bits. x is lost.
func (a *asm) choose(mask, x, y reg.VecVirtual) {
	a.VXORPS(x, y, x)
	a.and(mask, x, x)
	a.VXORPS(x, y, y)
}
