package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

func init() {
	register(Family{Name: "llama", Match: typed("llama"), Import: settled(importLlama)})
}

// llama is what Llama, Mistral and Mixtral share (families.md §13): every layer
// is attention and a feed-forward block.
type llama struct {
	trunk
	attention attention
	rope      *rope
	mlp       mlp
	experts   *experts // in place of the MLP; nil for none
}

// importLlama reads Llama.
func importLlama(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readLlama(r, s, 0, 1e-6, 1e4)
	m.attention.bias = r.flag(false, "attention_bias")
	m.mlp.bias = r.flag(false, "mlp_bias")
	return m.result(r, "llama")
}

// readLlama reads what the three have in common; the numbers are the family's
// own: heads of keys, eps and θ where the config is silent.
func readLlama(r *reader, s *Set, kv int, eps, theta float64) *llama {
	return &llama{
		trunk:     readTrunk(r, s, "rms_norm_eps", eps, false),
		attention: r.attention(kv),
		rope:      r.rope(theta, 1),
		mlp:       mlp{inner: r.size("inner size", "intermediate_size"), function: r.activation("hidden_act")},
	}
}

// result is the model.
func (m *llama) result(r *reader, name string) (*Result, error) {
	if err := firstError(r.failed, m.prepare); err != nil {
		return nil, err
	}
	a := &Llama{Rotary: *m.rotary, Longest: m.rope.longest.n}
	result, err := m.assemble(r.keys, name, func(_ int, prefix string) layer {
		l := m.parameters(prefix)
		a.Layers = append(a.Layers, l)
		return m.layer(l)
	}, m.facts()...)
	if err != nil {
		return nil, err
	}
	a.Ends, result.Architecture = m.ends(), a
	return result, nil
}

func (m *llama) prepare() error {
	names := append(m.attention.names("self_attn."), "input_layernorm.weight", "post_attention_layernorm.weight")
	if m.experts == nil {
		names = append(names, m.mlp.names("mlp.")...)
	}
	err := firstError(
		func() error { return m.trunk.prepare(func(int) []string { return names }) },
		m.fits,
		func() error { return m.attention.settle(m.set, m.prefix+"0.self_attn.", m.hidden) },
		func() (err error) { m.rotary, err = m.rope.rotary(m.attention.dim); return err },
	)
	if err != nil {
		return err
	}
	for i := range m.layers.n { // of very old files; what they hold is computed
		m.set.ignore(layerNames(m.prefix, i, []string{"self_attn.rotary_emb.inv_freq"})...)
	}
	if m.experts != nil {
		return m.experts.learn(m.set, m.prefix+"0.")
	}
	m.mlp.learn(m.set, m.prefix+"0.mlp.")
	return m.set.check()
}

// parameters is the layer whose tensors have the prefix.
func (m *llama) parameters(prefix string) LlamaLayer {
	stream := m.hidden.times(1)
	l := LlamaLayer{
		Norm:        m.set.shaped(prefix+"input_layernorm.weight", stream),
		Attention:   m.attention.parameters(m.set, prefix+"self_attn.", stream, stream),
		ForwardNorm: m.set.shaped(prefix+"post_attention_layernorm.weight", stream),
	}
	if m.experts != nil {
		l.Experts = m.experts.parameters(m.set, prefix, m.hidden)
	} else {
		l.MLP = m.mlp.parameters(m.set, prefix+"mlp.", m.hidden)
	}
	return l
}

// layer is the attention and then the feed-forward block, each of the norm of
// the stream.
func (m *llama) layer(l LlamaLayer) layer {
	return func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
		x = b.Add(x, l.Attention.Append(b, b.RMSNorm(x, l.Norm, m.eps), region, angles))
		return b.Add(x, l.forward().Append(b, b.RMSNorm(x, l.ForwardNorm, m.eps)))
	}
}

// feedForward is a block without state.
type feedForward interface {
	Append(b *build.Builder, x *ir.Value) *ir.Value
}

var _, _ feedForward = (*block.MLP)(nil), (*block.MoE)(nil)

func (l *LlamaLayer) forward() feedForward {
	if l.Experts != nil {
		return l.Experts
	}
	return l.MLP
}

func (m *llama) facts() []Fact {
	list := m.attention.facts()
	if m.experts != nil {
		return append(list, m.experts.facts()...)
	}
	return append(list, Fact{"inner size", m.mlp.inner.n})
}
