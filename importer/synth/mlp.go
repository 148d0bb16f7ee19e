package synth

// gated appends a gated MLP of three matrices (families.md §1.8). The gate is
// multiplied by a number that the weights make up for.
func (s scope) gated(hidden, inner int, gain, gate float64, bias bool) {
	s.matrix("gate_proj", inner, hidden, 1/gate, bias)
	s.matrix("up_proj", inner, hidden, 1, bias)
	s.matrix("down_proj", hidden, inner, gain, bias)
}
