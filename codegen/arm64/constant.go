package arm64

import "math"

// float is a constant in all lanes of a register.
func (a *asm) float(v float32) vector {
	r := a.waiting(v)
	to := a.vec()
	a.spread(r, to)
	a.freeGP(r)
	return to
}

// waiting is a constant that is needed so seldom that it waits in an integer
// register until it is.
func (a *asm) waiting(v float32) general {
	r := a.gp()
	a.put("MOVD", pattern(math.Float32bits(v)), r)
	return r
}
