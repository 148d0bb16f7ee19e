package family

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

func init() {
	register(Family{Name: "nemotron_h", Match: typed("nemotron_h"), Import: settled(importNemotronH)})
}

// nemotronH is families.md §10: a layer is one block, of four kinds.
type nemotronH struct {
	trunk
	kinds     kinds
	mixer     mixer2
	attention attention
	mlp       plainMLP
	experts   latentExperts
}

// importNemotronH reads Nemotron-H.
func importNemotronH(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readNemotronH(r, s)
	if err := firstError(r.failed, m.agree, m.prepare, m.fits, m.learn); err != nil {
		return nil, err
	}
	return m.assemble(c, "nemotron_h", m.layer, m.facts()...)
}

func readNemotronH(r *reader, s *Set) *nemotronH {
	m := &nemotronH{
		trunk:     readTrunk(r, s, "layer_norm_epsilon", 1e-5, false),
		attention: r.attention(8),
		mlp: plainMLP{
			inner:    r.size("inner size of MLPs", "intermediate_size"),
			function: r.activationOr("relu2", "mlp_hidden_act"),
			bias:     r.flag(false, "mlp_bias"),
		},
	}
	m.backbone()
	m.tied = false // whatever the config says: a head that is stored counts
	if m.attention.dim.n == 0 {
		m.attention.dim = r.sizeOr(128, "head dim", "attention_head_dim")
	}
	m.layers = size{what: m.layers.what} // num_hidden_layers says nothing here
	m.kinds = r.pattern(&m.layers)
	m.readMixer(r)
	m.experts = r.latentExperts(m.mlp)
	s.ignoreAll("mtp.") // further tokens, guessed at once
	return m
}

// readMixer reads the keys of either release. The inner size is that of the
// heads, whatever expand says.
func (m *nemotronH) readMixer(r *reader) {
	m.mixer = mixer2{
		inner:      size{what: "inner size of mixers"},
		heads:      r.size("heads of mixers", "mamba_num_heads"),
		headDim:    r.size("head dim of mixers", "mamba_head_dim"),
		groups:     r.sizeOr(8, "groups", "n_groups", "mamba_n_groups"),
		states:     r.size("state size", "ssm_state_size"),
		taps:       r.size("conv kernel", "conv_kernel", "mamba_d_conv"),
		inBias:     r.flag(false, "use_bias"),
		convBias:   r.flag(true, "use_conv_bias"),
		activation: r.activation("mamba_hidden_act"),
		low:        r.least("time_step_min"),
		gate:       groupNorm,
		eps:        m.eps,
	}
	m.mixer.outBias = m.mixer.inBias
}

// pattern reads the kinds of layers from a list or from the characters of older
// files.
func (r *reader) pattern(layers *size) kinds {
	known := []string{"mamba", "attention", "mlp", "moe"}
	if k := r.kinds(layers, known...); k.at != nil {
		return k
	}
	const name = "hybrid_override_pattern"
	text := r.text("", name)
	if text == "" {
		return r.listed([]string{"mamba", "moe", "attention", "mlp"}, "the default of layers_block_type", layers, known...)
	}
	letters := map[rune]string{'M': "mamba", '*': "attention", '-': "mlp", 'E': "moe"}
	var list []string
	for _, c := range text {
		kind := letters[c]
		if kind == "" {
			kind = string(c)
		}
		list = append(list, kind)
	}
	return r.listed(list, name, layers, known...)
}

func (m *nemotronH) agree() error {
	return m.kinds.agree(m.set, m.prefix, map[string]string{"mamba": "mixer.in_proj.weight", "attention": "mixer.q_proj.weight",
		"mlp": "mixer.up_proj.weight", "moe": "mixer.gate.weight"})
}

// prepare proves that nothing is missing, experts apart.
func (m *nemotronH) prepare() error {
	return m.trunk.prepare(func(i int) []string {
		names := []string{"norm.weight"}
		switch m.kinds.at(i) {
		case "mamba":
			return append(names, m.mixer.names("mixer.")...)
		case "attention":
			return append(names, m.attention.names("mixer.")...)
		case "mlp":
			return append(names, m.mlp.names("mixer.")...)
		}
		return append(names, m.experts.names("mixer.")...)
	})
}

// learn reads the sizes that the config does not give off the first layer of
// each kind.
func (m *nemotronH) learn() error {
	first := func(kind string) (prefix string, ok bool) {
		i := m.kinds.first(m.layers.n, kind)
		return layerNames(m.prefix, i, []string{"mixer."})[0], i >= 0
	}
	if prefix, ok := first("mamba"); ok {
		m.mixer.learn(m.set, prefix)
	}
	if prefix, ok := first("mlp"); ok {
		m.mlp.learn(m.set, prefix)
	}
	if prefix, ok := first("moe"); ok {
		m.experts.learn(m.set, prefix)
	}
	if prefix, ok := first("attention"); ok {
		return firstError(m.set.check, func() error { return m.attention.settle(m.set, prefix, m.hidden) })
	}
	return m.set.check()
}

// layer is the one block of the norm of the stream. Nothing knows positions.
func (m *nemotronH) layer(i int, prefix string) layer {
	norm := m.set.shaped(prefix+"norm.weight", m.hidden.times(1))
	block := m.block(i, prefix+"mixer.")
	return func(b *build.Builder, x, _ *ir.Value, region string) *ir.Value {
		return b.Add(x, block(b, b.RMSNorm(x, norm, m.eps), region))
	}
}

func (m *nemotronH) block(i int, prefix string) mixing {
	switch m.kinds.at(i) {
	case "mamba":
		return m.mixer.parameters(m.set, prefix, m.hidden).Append
	case "attention":
		p := m.attention.parameters(m.set, prefix, m.hidden.times(1), m.hidden.times(1))
		return func(b *build.Builder, x *ir.Value, region string) *ir.Value { return p.Append(b, x, region, nil) }
	case "mlp":
		return stateless(m.mlp.parameters(m.set, prefix, m.hidden))
	}
	return stateless(m.experts.parameters(m.set, prefix, m.hidden))
}

func stateless(p feedForward) mixing {
	return func(b *build.Builder, x *ir.Value, _ string) *ir.Value { return p.Append(b, x) }
}

func (m *nemotronH) facts() []Fact {
	list := m.mixer.facts()
	for _, kind := range []struct {
		name  string
		facts []Fact
	}{{"attention", m.attention.facts()}, {"mlp", []Fact{{m.mlp.inner.what, m.mlp.inner.n}}}, {"moe", m.experts.facts()}} {
		if m.kinds.first(m.layers.n, kind.name) >= 0 {
			list = append(list, kind.facts...)
		}
	}
	return list
}
