package arm64

import (
	"math"

	"github.com/mambac/mambac/codegen/polynomial"
)

// expConstants are registers that hold what exp needs.
type expConstants struct {
	clampLow, clampHigh, log2e, round, ln2High, ln2Low, one vector
	c                                                       [len(polynomial.Exp)]vector
}

func (a *asm) expConstants() *expConstants {
	start := len(a.code.nodes)
	k := &expConstants{
		clampLow: a.float(polynomial.ExpMin), clampHigh: a.float(polynomial.ExpMax),
		log2e: a.float(math.Log2E), round: a.float(polynomial.ExpRound),
		ln2High: a.float(polynomial.Ln2High), ln2Low: a.float(polynomial.Ln2Low), one: a.float(1),
	}
	for i, c := range polynomial.Exp {
		k.c[i] = a.float(c)
	}
	a.legendAt(start, "Constants of exp.", holds("limits", k.clampLow, k.clampHigh), holds("log2 e", k.log2e), holds("rounding", k.round),
		holds("ln 2 in two parts", k.ln2High, k.ln2Low), holds("1", k.one), holds("c2…c6", k.c[:]...))
	return k
}

// exp replaces each of several vectors by its eˣ lane by lane, with the bits that
// package amd64 gives. FMIN and FMAX answer NaN where an operand is NaN. A step
// is emitted for all vectors before the next step is: the steps of one wait for
// each other.
func (a *asm) exp(x []vector, k *expConstants) {
	a.legend("Exponentials.", holds("arguments, then results", x...))
	n, scale := a.vecs(len(x)), a.vecs(len(x))
	for i, x := range x {
		a.fmin(x, k.clampHigh, x)
		a.fmax(x, k.clampLow, x)
		a.copy(k.round, n[i])
	}
	for i, x := range x {
		a.fmla(x, k.log2e, n[i])
	}
	for i := range x {
		a.shiftLeft(23, n[i], scale[i])
		a.fsub(n[i], k.round, n[i])
	}
	for i, x := range x {
		a.fmls(n[i], k.ln2High, x)
	}
	for i, x := range x {
		a.fmls(n[i], k.ln2Low, x)
	}
	a.free(n...)
	a.polynomials(x, k)
	for i, x := range x {
		a.fmul(x, scale[i], x)
	}
	a.free(scale...)
}

// polynomials replaces r by 1 + r + r²·(c2 + c3·r + r²·(c4 + c5·r + c6·r²)).
func (a *asm) polynomials(r []vector, k *expConstants) {
	p, square, high := a.vecs(len(r)), a.vecs(len(r)), a.vecs(len(r))
	for i, r := range r {
		a.fmul(r, r, square[i])
		a.copy(k.c[2], high[i])
		a.copy(k.c[0], p[i])
	}
	for i, r := range r {
		a.fmla(r, k.c[3], high[i])
		a.fmla(r, k.c[1], p[i])
	}
	for i, r := range r {
		a.fmla(square[i], k.c[4], high[i])
		a.fadd(r, k.one, r)
	}
	for i := range r {
		a.fmla(square[i], high[i], p[i])
	}
	for i, r := range r {
		a.fmla(square[i], p[i], r)
	}
	a.free(p...)
	a.free(square...)
	a.free(high...)
}
