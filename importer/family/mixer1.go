package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
)

// mixer1 is what configs say of Mamba-1 mixers (families.md §2).
type mixer1 struct {
	inner, states, taps, rank size
	bias, convBias            bool
	activation                string // of the conv
}

// names lists what a mixer stores.
func (m *mixer1) names(prefix string) []string {
	list := []string{"in_proj.weight", "conv1d.weight", "x_proj.weight", "dt_proj.weight", "dt_proj.bias", "A_log", "D", "out_proj.weight"}
	if m.convBias {
		list = append(list, "conv1d.bias")
	}
	if m.bias {
		list = append(list, "in_proj.bias", "out_proj.bias")
	}
	return prefixed(prefix, list...)
}

// learn reads the sizes that the config does not give off the mixer whose
// tensors have the prefix.
func (m *mixer1) learn(s *Set, prefix string) {
	s.learn(&m.inner, prefix+"A_log", 0)
	s.learn(&m.states, prefix+"A_log", 1)
	s.learn(&m.taps, prefix+"conv1d.weight", 2)
	s.learn(&m.rank, prefix+"dt_proj.weight", 1)
}

// parameters is the mixer whose tensors have the prefix.
func (m *mixer1) parameters(s *Set, prefix string, width size) *block.Mamba1 {
	tensor := func(name string, axes ...axis) *ir.Param { return s.shaped(prefix+name, axes...) }
	inner, hidden, rank, states := m.inner.times(1), width.times(1), m.rank.times(1), m.states.times(1)
	p := &block.Mamba1{
		InProj:     tensor("in_proj.weight", m.inner.times(2), hidden),
		Conv:       tensor("conv1d.weight", inner, axis{n: 1}, m.taps.times(1)),
		XProj:      tensor("x_proj.weight", axis{m.rank.n + 2*m.states.n, []size{m.rank, m.states}}, inner),
		DtProj:     tensor("dt_proj.weight", inner, rank),
		DtProjBias: tensor("dt_proj.bias", inner),
		A:          tensor("A_log", inner, states),
		D:          tensor("D", inner),
		OutProj:    tensor("out_proj.weight", hidden, inner),
		Activation: m.activation,
	}
	p.A.Transform = ir.NegExp
	if m.convBias {
		p.ConvBias = tensor("conv1d.bias", inner)
	}
	if m.bias {
		p.InProjBias, p.OutProjBias = tensor("in_proj.bias", m.inner.times(2)), tensor("out_proj.bias", hidden)
	}
	return p
}

func (m *mixer1) facts() []Fact {
	return []Fact{{"inner size", m.inner.n}, {"state size", m.states.n}, {"conv kernel", m.taps.n}, {"dt rank", m.rank.n}}
}
