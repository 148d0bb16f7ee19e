package arm64

// silu replaces x by x / (1 + e⁻ˣ) lane by lane.
func (a *asm) silu(x []vector, k *expConstants) {
	t := a.vecs(len(x))
	for i, x := range x {
		a.fneg(x, t[i])
	}
	a.exp(t, k)
	for i, x := range x {
		a.fadd(t[i], k.one, t[i])
		a.fdiv(x, t[i], x)
	}
	a.free(t...)
}
