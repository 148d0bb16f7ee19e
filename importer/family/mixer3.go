package family

import (
	"fmt"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// mimoRotary is which elements of B and C are turned together where a mixer has
// several ranks: the kernels that were shipped and the reference beside them
// differ (families.md §4).
var mimoRotary = Option{
	Name:   "mimo-rotary",
	Usage:  "which elements MIMO mixers of Mamba-3 turn together, as no config says it: halved (n and n+N/2, as in the shipped kernels) or interleaved (neighbours, as in their reference)",
	Values: []string{"halved", "interleaved"},
}

// mamba3A is how the decay of Mamba-3 follows from its input.
var mamba3A = Option{
	Name:   "mamba3-a",
	Usage:  "how the decay of Mamba-3 follows from its input, as no config says it: heavy-tail (as in the shipped module) or softplus (-softplus(a))",
	Values: []string{"heavy-tail", "softplus"},
}

// mixer3 is what a config says of its Mamba-3 mixers (families.md §4), all of
// which are alike.
type mixer3 struct {
	inner, heads, headDim, groups, states, rank size

	fraction float64 // of the states that turn
	floor    float32 // of −A
	mimo     bool
	normed   bool // has a norm before the gate
	halved   bool
	softplus bool
}

// readMixer3 reads ssm_cfg.
func readMixer3(r *reader, hidden size, choices *Choices) stateMixer {
	m := &mixer3{
		inner:    r.expanded(hidden, "expand"),
		heads:    size{what: "heads of mixers"},
		headDim:  r.size("head dim of mixers", "headdim"),
		groups:   r.sizeOr(1, "groups", "ngroups"),
		states:   r.size("state size", "d_state"),
		rank:     size{"rank", 1, r.prefix + "is_mimo"},
		fraction: r.number(0.5, "rope_fraction"),
		floor:    float32(r.number(1e-4, "A_floor")),
		mimo:     r.flag(false, "is_mimo"),
		normed:   r.flag(false, "is_outproj_norm"),
		softplus: choices.take(mamba3A) == "softplus",
	}
	if m.fraction != 0.5 && m.fraction != 1 {
		r.fail(fmt.Errorf("%srope_fraction: have %v, want 0.5 or 1", r.prefix, m.fraction))
	}
	if m.floor < 0 {
		r.fail(fmt.Errorf("%sA_floor: have %v, want 0 or more", r.prefix, m.floor))
	}
	if m.mimo {
		m.rank = r.size("rank", "mimo_rank")
		m.halved = choices.take(mimoRotary) == "halved"
	}
	return m
}

// names implements stateMixer.
func (m *mixer3) names(prefix string) []string {
	list := []string{"in_proj.weight", "dt_bias", "B_bias", "C_bias", "B_norm.weight", "C_norm.weight", "D", "out_proj.weight"}
	if m.mimo {
		list = append(list, "mimo_x", "mimo_z", "mimo_o")
	}
	if m.normed {
		list = append(list, "norm.weight")
	}
	return prefixed(prefix, list...)
}

// learn implements stateMixer.
func (m *mixer3) learn(s *Set, prefix string) {
	s.learn(&m.inner, prefix+"out_proj.weight", 1)
	s.learn(&m.heads, prefix+"dt_bias", 0)
	s.learn(&m.rank, prefix+"B_bias", 1)
	s.learn(&m.states, prefix+"B_bias", 2)
	if s.err != nil {
		return
	}
	s.learnHead(&m.headDim, m.inner, m.heads, m.groups)
	switch {
	case m.angles() == 0:
		s.fail("config.json: of %v, rope_fraction %v turns nothing", m.states, m.fraction)
	case m.halved && m.states.n%2 != 0:
		s.fail("config.json: %v is odd and cannot be halved; --mimo-rotary interleaved can turn it", m.states)
	}
}

// angles is how many pairs of elements turn.
func (m *mixer3) angles() int { return int(float64(m.states.n)*m.fraction) / 2 }

// mixing implements stateMixer.
func (m *mixer3) mixing(s *Set, prefix string, width size) mixing {
	return m.parameters(s, prefix, width).Append
}

// parameters is the mixer whose tensors have the prefix.
func (m *mixer3) parameters(s *Set, prefix string, width size) *block.Mamba3 {
	tensor := func(name string, axes ...axis) *ir.Param { return s.shaped(prefix+name, axes...) }
	hidden, inner, heads, rank, states := width.times(1), m.inner.times(1), m.heads.times(1), m.rank.times(1), m.states.times(1)
	shared := m.rank.n * m.groups.n * m.states.n
	rows := axis{2*m.inner.n + 2*shared + 3*m.heads.n + m.angles(), []size{m.inner, m.rank, m.groups, m.states, m.heads}}
	p := &block.Mamba3{
		InProj:  tensor("in_proj.weight", rows, hidden),
		DtBias:  tensor("dt_bias", heads),
		BBias:   tensor("B_bias", heads, rank, states),
		CBias:   tensor("C_bias", heads, rank, states),
		BNorm:   tensor("B_norm.weight", states),
		CNorm:   tensor("C_norm.weight", states),
		D:       tensor("D", heads),
		OutProj: tensor("out_proj.weight", hidden, inner),
		Scan: op.Mamba3{Heads: m.heads.n, HeadDim: m.headDim.n, Groups: m.groups.n, States: m.states.n, Rank: m.rank.n,
			Angles: m.angles(), Floor: m.floor, Halved: m.halved, Softplus: m.softplus},
		Eps: layoutEps,
	}
	if m.mimo {
		dim := axis{m.headDim.n, []size{m.inner, m.heads}}
		p.X, p.Z, p.O = tensor("mimo_x", heads, rank, dim), tensor("mimo_z", heads, rank, dim), tensor("mimo_o", heads, rank, dim)
	}
	if m.normed {
		p.Norm = tensor("norm.weight", inner)
	}
	return p
}

// facts are none where no layer has a mixer.
func (m *mixer3) facts() []Fact {
	if m.headDim.n == 0 {
		return nil
	}
	list := []Fact{{"inner size of mixers", m.inner.n}, {"heads of mixers", m.heads.n}, {"head dim of mixers", m.headDim.n},
		{"groups", m.groups.n}, {"state size", m.states.n}, {"angles", m.angles()}}
	if m.mimo {
		list = append(list, Fact{"rank", m.rank.n})
	}
	return list
}
