package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// hybrid is what Bamba and Granite share (families.md §9): layers begin with a
// Mamba-2 mixer or with attention.
type hybrid struct {
	trunk
	kinds     kinds
	mixer     mixer2
	attention attention
	rope      *rope // nil for none
}

// agree holds the kinds of layers against what is stored.
func (m *hybrid) agree() error {
	return m.kinds.agree(m.set, m.prefix, map[string]string{"mamba": "mamba.in_proj.weight", "attention": "self_attn.q_proj.weight"})
}

// names lists what the first half of a layer stores, its norm apart.
func (m *hybrid) names(i int) []string {
	if m.kinds.at(i) == "attention" {
		return m.attention.names("self_attn.")
	}
	return m.mixer.names("mamba.")
}

// attends reports whether there is attention.
func (m *hybrid) attends() bool { return m.kinds.first(m.layers.n, "attention") >= 0 }

// learn reads the sizes that the config does not give off the first mixer, and
// settles those of attention.
func (m *hybrid) learn() (err error) {
	if i := m.kinds.first(m.layers.n, "mamba"); i >= 0 {
		m.mixer.learn(m.set, layerNames(m.prefix, i, []string{"mamba."})[0])
	}
	i := m.kinds.first(m.layers.n, "attention")
	if i < 0 {
		return m.set.check()
	}
	err = firstError(m.set.check, func() error {
		return m.attention.settle(m.set, layerNames(m.prefix, i, []string{"self_attn."})[0], m.hidden)
	})
	if err != nil || m.rope == nil {
		return err
	}
	m.rotary, err = m.rope.rotary(m.attention.dim)
	return err
}

// mix is the mixer or the attention of a layer; only the second is turned by
// angles.
func (m *hybrid) mix(i int, prefix string) func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
	if m.kinds.at(i) == "attention" {
		return withAngles(m.attention.parameters(m.set, prefix+"self_attn.", m.hidden.times(1), m.hidden.times(1)))
	}
	return withoutAngles(m.mixer.parameters(m.set, prefix+"mamba.", m.hidden))
}

func withAngles(p *block.Attention) func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
	return func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
		return p.Append(b, x, region, angles)
	}
}

func withoutAngles(p *block.Mamba2) func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
	return func(b *build.Builder, x, _ *ir.Value, region string) *ir.Value { return p.Append(b, x, region) }
}

func (m *hybrid) facts(own ...Fact) []Fact {
	list := m.mixer.facts()
	if m.attends() {
		list = append(list, m.attention.facts()...)
	}
	return append(list, own...)
}
