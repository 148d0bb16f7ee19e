package arm64

// sigmoid replaces x by 1 / (1 + e⁻ˣ) lane by lane.
func (a *asm) sigmoid(x []vector, k *expConstants) {
	for _, x := range x {
		a.fneg(x, x)
	}
	a.exp(x, k)
	for _, x := range x {
		a.fadd(x, k.one, x)
		a.fdiv(k.one, x, x)
	}
}
