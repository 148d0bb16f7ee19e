package family

import (
	"math"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// mixer2 is what a config says about its Mamba-2 mixers (families.md §3), all
// of which are alike.
type mixer2 struct {
	inner, heads, headDim, groups, states, taps size
	beside                                      size // width of an MLP beside the scan (§5.1); 0 for none

	inBias, convBias, outBias bool
	activation                string // of the conv
	low, high                 float32
	gate                      gate
	eps                       float32 // of the gated norm
	multiply                  *block.SSMMultiplier
	elementD                  bool // D is one per element, not per head
}

// gate is a kind of gated norm (families.md §1.4).
type gate int

const (
	noNorm         gate = iota // y·silu(z)
	wholeNorm                  // GN-A
	groupNorm                  // GN-B
	groupNormFirst             // GN-C
)

// names lists what a mixer stores.
func (m *mixer2) names(prefix string) []string {
	list := []string{"in_proj.weight", "conv1d.weight", "A_log", "dt_bias", "D", "out_proj.weight"}
	for _, option := range []struct {
		on   bool
		name string
	}{{m.inBias, "in_proj.bias"}, {m.convBias, "conv1d.bias"}, {m.outBias, "out_proj.bias"}, {m.gate != noNorm, "norm.weight"}} {
		if option.on {
			list = append(list, option.name)
		}
	}
	return prefixed(prefix, list...)
}

// learn reads the sizes that the config does not give off the mixer whose
// tensors have the prefix, and checks all of them against each other.
func (m *mixer2) learn(s *Set, prefix string) {
	s.learn(&m.heads, prefix+"A_log", 0)
	s.learn(&m.taps, prefix+"conv1d.weight", 2)
	if m.inner.n == 0 && m.headDim.n > 0 {
		m.inner = size{"inner size of mixers", m.heads.n * m.headDim.n, m.heads.from + " and " + m.headDim.from}
	}
	s.learn(&m.inner, prefix+"out_proj.weight", 1)
	if s.err != nil {
		return
	}
	s.learnHead(&m.headDim, m.inner, m.heads, m.groups)
	m.learnStates(s, prefix+"conv1d.weight")
}

// learnHead proves that heads are of whole groups, and the inner size of whole
// heads of the size that is told, and learns what is not.
func (s *Set) learnHead(headDim *size, inner, heads, groups size) {
	switch told := headDim.n; {
	case told > 0 && told*heads.n != inner.n:
		s.fail("config.json: %v times %v is %d, but %v", heads, *headDim, heads.n*told, inner)
	case inner.n%heads.n != 0:
		s.fail("config.json: %v do not divide %v", heads, inner)
	case heads.n%groups.n != 0:
		s.fail("config.json: %v do not divide %v", groups, heads)
	default:
		headDim.n = inner.n / heads.n
	}
}

// learnStates finds N in the E+2GN channels of a conv.
func (m *mixer2) learnStates(s *Set, name string) {
	t, ok := s.tensors.Find(name)
	if m.states.n != 0 || !ok || s.err != nil {
		return
	}
	rest := -1
	if len(t.Shape) > 0 {
		rest = t.Shape[0] - m.inner.n
	}
	if rest < 1 || rest%(2*m.groups.n) != 0 {
		s.fail("%s: have %v, from which with %v and %v no %s can be read", name, t.Shape, m.inner, m.groups, m.states.what)
		return
	}
	m.states.n, m.states.from = rest/(2*m.groups.n), name
}

// parameters is the mixer whose tensors have the prefix.
func (m *mixer2) parameters(s *Set, prefix string, width size) *block.Mamba2 {
	tensor := func(name string, axes ...axis) *ir.Param { return s.shaped(prefix+name, axes...) }
	maybe := func(on bool, name string, axes ...axis) *ir.Param {
		if !on {
			return nil
		}
		return tensor(name, axes...)
	}
	hidden, inner, heads := width.times(1), m.inner.times(1), m.heads.times(1)
	channels := axis{m.inner.n + 2*m.groups.n*m.states.n, []size{m.inner, m.groups, m.states}}
	rows := axis{m.inner.n + channels.n + m.heads.n, append([]size{m.heads}, channels.of...)}
	out, d := inner, heads
	if m.beside.n > 0 {
		rows = axis{2*m.beside.n + rows.n, append(rows.of, m.beside)}
		out = axis{m.beside.n + m.inner.n, []size{m.beside, m.inner}}
	}
	if m.elementD {
		d = inner
	}
	p := &block.Mamba2{
		InProj:      tensor("in_proj.weight", rows, hidden),
		InProjBias:  maybe(m.inBias, "in_proj.bias", rows),
		Conv:        tensor("conv1d.weight", channels, axis{n: 1}, m.taps.times(1)),
		ConvBias:    maybe(m.convBias, "conv1d.bias", channels),
		A:           tensor("A_log", heads),
		DtBias:      tensor("dt_bias", heads),
		D:           tensor("D", d),
		Norm:        maybe(m.gate != noNorm, "norm.weight", inner),
		OutProj:     tensor("out_proj.weight", hidden, out),
		OutProjBias: maybe(m.outBias, "out_proj.bias", hidden),
		Groups:      m.groups.n, Activation: m.activation, Low: m.low, High: m.high, Gate: m.norm(), Multiply: m.multiply,
	}
	p.A.Transform = ir.NegExp
	return p
}

// norm is the gated norm with the width of its groups.
func (m *mixer2) norm() op.GatedNorm {
	o := op.GatedNorm{Eps: m.eps, NormFirst: m.gate == groupNormFirst}
	if m.gate != wholeNorm && m.groups.n > 1 {
		o.Group = m.inner.n / m.groups.n
	}
	return o
}

// facts are none where no layer has a mixer.
func (m *mixer2) facts() []Fact {
	if m.headDim.n == 0 {
		return nil
	}
	return []Fact{{"inner size of mixers", m.inner.n}, {"heads of mixers", m.heads.n}, {"head dim of mixers", m.headDim.n},
		{"groups", m.groups.n}, {"state size", m.states.n}, {"conv kernel", m.taps.n}}
}

// mixer2 reads the keys of the hybrids that write mamba_ before them
// (families.md §9, §12). The inner size is left to the family.
func (r *reader) mixer2(eps float32, g gate) mixer2 {
	m := mixer2{
		heads:      r.size("heads of mixers", "mamba_n_heads"),
		headDim:    size{what: "head dim of mixers"},
		groups:     r.sizeOr(1, "groups", "mamba_n_groups"),
		states:     r.size("state size", "mamba_d_state"),
		taps:       r.size("conv kernel", "mamba_d_conv"),
		convBias:   r.flag(true, "mamba_conv_bias"),
		inBias:     r.flag(false, "mamba_proj_bias"),
		activation: r.activation("hidden_act"),
		gate:       g,
		eps:        eps,
	}
	if string(r.keys["mamba_d_head"]) != `"auto"` {
		m.headDim = r.size(m.headDim.what, "mamba_d_head")
	}
	m.outBias = m.inBias
	m.low, m.high = r.limits("time_step_limit")
	return m
}

// limits reads the bounds of Δ; high is 0 where there is none.
func (r *reader) limits(name string) (low, high float32) {
	bounds := []number{0, number(math.Inf(1))}
	const want = "two numbers, the second positive and not below the first"
	r.decode(&bounds, want, name)
	if len(bounds) != 2 || !(float32(bounds[1]) > 0 && bounds[0] <= bounds[1]) || math.IsInf(float64(float32(bounds[0])), 1) {
		r.fail(wrong(r.prefix+name, r.keys[name], want))
		return 0, 0
	}
	if high = float32(bounds[1]); math.IsInf(float64(high), 1) {
		high = 0
	}
	return float32(max(bounds[0], 0)), high
}
