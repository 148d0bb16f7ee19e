package arm64

import "math"

// constant is the same bits in all lanes of a register.
func (a *asm) constant(bits uint32) vector {
	r := a.gp()
	v := a.vec()
	a.put("MOVD", pattern(bits), r)
	a.spread(r, v)
	a.freeGP(r)
	return v
}

// float is constant of a float32.
func (a *asm) float(v float32) vector { return a.constant(math.Float32bits(v)) }

// waiting is a constant that is needed so seldom that it waits in an integer
// register until it is.
func (a *asm) waiting(v float32) general {
	r := a.gp()
	a.put("MOVD", pattern(math.Float32bits(v)), r)
	return r
}
