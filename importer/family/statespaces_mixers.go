package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
)

// stateMixer1 is mixers of Mamba-1 in the state-spaces layout.
type stateMixer1 struct {
	mixer1
	made []*block.Mamba1
}

func readStateMixer1(r *reader, hidden size, _ *Choices) stateMixer {
	return &stateMixer1{mixer1: mixer1{
		inner:      r.expanded(hidden, "expand"),
		states:     r.size("state size", "d_state"),
		taps:       r.size("conv kernel", "d_conv"),
		rank:       r.sizeOrAuto("dt rank", "dt_rank", hidden),
		bias:       r.flag(false, "bias"),
		convBias:   r.flag(true, "conv_bias"),
		activation: "silu",
	}}
}

// mixing implements stateMixer.
func (m *stateMixer1) mixing(s *Set, prefix string, width size) mixing {
	p := m.parameters(s, prefix, width)
	m.made = append(m.made, p)
	return p.Append
}

// architecture is a model of these mixers alone.
func (m *stateMixer1) architecture(e Ends, norms []*ir.Param) Architecture {
	a := &Mamba1{Ends: e}
	for i, p := range m.made {
		a.Layers = append(a.Layers, MixerLayer[*block.Mamba1]{norms[i], p})
	}
	return a
}

// stateMixer2 is mixers of Mamba-2 in the state-spaces layout
// (families.md §5.1).
type stateMixer2 struct {
	mixer2
	outer size // of what out_proj reads: the scan and the MLP beside it
	made  []*block.Mamba2
}

func readStateMixer2(r *reader, hidden size, _ *Choices) stateMixer {
	bias := r.flag(false, "bias")
	m := &stateMixer2{outer: r.expanded(hidden, "expand"), mixer2: mixer2{
		inner:      r.size("d_ssm", "d_ssm"),
		heads:      size{what: "heads of mixers"},
		headDim:    r.size("head dim of mixers", "headdim"),
		groups:     r.sizeOr(1, "groups", "ngroups"),
		states:     r.size("state size", "d_state"),
		taps:       r.size("conv kernel", "d_conv"),
		inBias:     bias,
		outBias:    bias,
		convBias:   r.flag(true, "conv_bias"),
		activation: r.activation("activation", "silu", "swish"),
		elementD:   r.flag(false, "D_has_hdim"),
		eps:        layoutEps,
		gate:       groupNorm,
	}}
	m.low, m.high = r.limits("dt_limit")
	if r.flag(false, "norm_before_gate") {
		m.gate = groupNormFirst
	}
	if !r.flag(true, "rmsnorm") {
		m.gate = noNorm
	}
	return m
}

// learn implements stateMixer.
func (m *stateMixer2) learn(s *Set, prefix string) {
	s.learn(&m.outer, prefix+"out_proj.weight", 1)
	if m.inner.n == 0 {
		m.inner = m.outer
	}
	switch {
	case s.err != nil:
		return
	case m.inner.n > m.outer.n:
		s.fail("config.json: %v is more than %v", m.inner, m.outer)
		return
	case m.inner.n < m.outer.n:
		m.beside = size{"MLP beside the scan", m.outer.n - m.inner.n, m.outer.from + " and " + m.inner.from}
	}
	m.mixer2.learn(s, prefix)
}

// mixing implements stateMixer.
func (m *stateMixer2) mixing(s *Set, prefix string, width size) mixing {
	p := m.parameters(s, prefix, width)
	m.made = append(m.made, p)
	return p.Append
}

// architecture is a model of these mixers alone.
func (m *stateMixer2) architecture(e Ends, norms []*ir.Param) Architecture {
	a := &Mamba2{Ends: e}
	for i, p := range m.made {
		a.Layers = append(a.Layers, MixerLayer[*block.Mamba2]{norms[i], p})
	}
	return a
}

// facts implements stateMixer.
func (m *stateMixer2) facts() []Fact {
	if m.beside.n == 0 {
		return m.mixer2.facts()
	}
	return append(m.mixer2.facts(), Fact{m.beside.what, m.beside.n})
}
