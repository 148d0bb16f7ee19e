package amd64

import "github.com/mmcloughlin/avo/reg"

// relu is the larger one of x and 0, which becomes x.
func (a *asm) relu(x reg.VecVirtual) {
	zero := a.vec()
	a.zero(zero)
	a.VMAXPS(x, zero, x) // x where it is NaN
}
