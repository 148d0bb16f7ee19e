package arm64

import "github.com/mambac/mambac/codegen/polynomial"

// exp2Waiting is how many coefficients of 2ˣ wait in integer registers: there
// are not enough others beside the constants of exp.
const exp2Waiting = 3

// exp2Constants are registers that hold what 2ˣ needs besides the constants of
// exp.
type exp2Constants struct {
	clampLow vector
	low      [len(polynomial.Exp2) - exp2Waiting]vector
	high     [exp2Waiting]general
}

func (a *asm) exp2Constants() *exp2Constants {
	start := len(a.code.nodes)
	k := &exp2Constants{clampLow: a.float(polynomial.Exp2Min)}
	for i, c := range polynomial.Exp2 {
		if i < len(k.low) {
			k.low[i] = a.float(c)
		} else {
			k.high[i-len(k.low)] = a.waiting(c)
		}
	}
	a.legendAt(start, "Constants of 2ˣ.", holds("limit", k.clampLow), holds("c1…c3", k.low[:]...), holds("c4…c6", k.high[:]...))
	return k
}

// coefficient puts c1 … c6, from 0 on, into v.
func (a *asm) coefficient(k *exp2Constants, i int, v vector) {
	if i < len(k.low) {
		a.copy(k.low[i], v)
		return
	}
	a.spread(k.high[i-len(k.low)], v)
}

// exp2 replaces each of several vectors that have no element above 128, as the
// exponents that a state decays by, by its 2ˣ, with the bits that package amd64
// gives. A step is emitted for all vectors before the next step is: the steps of
// one wait for each other.
func (a *asm) exp2(x []vector, k *exp2Constants, e *expConstants) {
	a.legend("Powers of two.", holds("exponents, then results", x...))
	n, scale := a.vecs(len(x)), a.vecs(len(x))
	for i, x := range x {
		a.fmax(x, k.clampLow, x)
		a.fadd(x, e.round, n[i])
	}
	for i, x := range x {
		a.shiftLeft(23, n[i], scale[i])
		a.fsub(n[i], e.round, n[i])
		a.fsub(x, n[i], x)
	}
	p, next := n, a.vec() // n is needed no more
	last := len(polynomial.Exp2) - 1
	for _, p := range p {
		a.coefficient(k, last, p)
	}
	for c := last - 1; c >= 0; c-- {
		for i, x := range x {
			a.coefficient(k, c, next)
			a.fmla(p[i], x, next)
			p[i], next = next, p[i]
		}
	}
	for i, x := range x {
		a.copy(e.one, next)
		a.fmla(p[i], x, next)
		a.fmul(next, scale[i], x)
	}
	a.free(next)
	a.free(p...)
	a.free(scale...)
}
