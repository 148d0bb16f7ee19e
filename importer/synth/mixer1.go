package synth

// mixer1 is the sizes of a Mamba-1 mixer, by the names of families.md §1.1.
type mixer1 struct {
	hiddenSize, innerSize, stateSize int
	convKernel, dtRank               int
	bias, convBias                   bool
}

// add appends the tensors of a mixer, in the order of use (families.md §2).
// Deviations keep activations near 1 and logits within a few units at any
// depth: linears have 1/√(inputs), what is added to the residual also 1/√L.
func (m *mixer1) add(s scope, gain float64) {
	d, e, n, r, k := m.hiddenSize, m.innerSize, m.stateSize, m.dtRank, m.convKernel
	s.add("in_proj.weight", linear(d, 1), 2*e, d)
	s.add("conv1d.weight", linear(k, 1), e, 1, k)
	s.add("x_proj.weight", linear(e, 1), r+2*n, e)
	s.add("dt_proj.weight", linear(r, 0.5), e, r)
	s.add("dt_proj.bias", timeSteps, e)
	s.keep("A_log", decayRates(n), e, n)
	s.keep("D", near1, e)
	s.add("out_proj.weight", linear(e, gain), d, e)
	if m.convBias {
		s.add("conv1d.bias", small, e)
	}
	if m.bias {
		s.add("in_proj.bias", small, 2*e)
		s.add("out_proj.bias", small, d)
	}
}
