package arm64

import "github.com/mambac/mambac/codegen/polynomial"

// softplusConstants wait in integer registers for what softplus needs besides
// the constants of exp.
type softplusConstants struct {
	two   general
	atanh [len(polynomial.Atanh)]general
}

func (a *asm) softplusConstants() *softplusConstants {
	start := len(a.code.nodes)
	k := &softplusConstants{two: a.waiting(2)}
	for i, c := range polynomial.Atanh {
		k.atanh[i] = a.waiting(c)
	}
	a.legendAt(start, "Constants of softplus.", holds("2", k.two), holds("of atanh", k.atanh[:]...))
	return k
}

// softplus replaces x by max(x,0) + log(1 + e^−|x|) lane by lane: no
// cancellation anywhere, so it is accurate relative to the result for x far
// below zero, and equal to x far above.
func (a *asm) softplus(x vector, k *softplusConstants, e *expConstants) {
	v := a.vec()
	a.fabs(x, v)
	a.fneg(v, v)
	a.exp([]vector{v}, e)
	a.legend("log(1 + v) = 2·atanh(v/(2+v)).", holds("v", v))
	s, z, g, next := a.vec(), a.vec(), a.vec(), a.vec()
	a.spread(k.two, s)
	a.fadd(v, s, s)
	a.fdiv(v, s, s)
	a.fmul(s, s, z)
	a.spread(k.atanh[3], g)
	for i := 2; i >= 0; i-- {
		a.spread(k.atanh[i], next)
		a.fmla(g, z, next)
		g, next = next, g
	}
	a.fmul(s, z, z)
	a.fadd(s, s, s)
	a.fmla(g, z, s)
	a.zero(g)
	a.fmax(x, g, x)
	a.fadd(x, s, x)
	a.free(v, s, z, g, next)
}
