package family

import (
	"fmt"
	"math"
	"slices"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

func init() {
	register(Family{Name: "falcon_h1", Match: typed("falcon_h1"), Import: settled(importFalconH1)})
}

// falconH1 is families.md §12: in every layer a Mamba-2 mixer and attention
// read the same, and then an MLP. The numbers are multipliers.
type falconH1 struct {
	trunk
	mixer     mixer2
	attention attention
	rope      *rope
	mlp       mlp

	mixerIn, mixerOut, attentionIn, attentionOut, mlpOut float32
}

// importFalconH1 reads Falcon-H1.
func importFalconH1(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readFalconH1(r, s)
	if err := firstError(r.failed, m.prepare, m.fits, m.learn); err != nil {
		return nil, err
	}
	return m.assemble(c, "falcon_h1", m.layer, m.facts()...)
}

func readFalconH1(r *reader, s *Set) *falconH1 {
	m := &falconH1{
		trunk:        readTrunk(r, s, "rms_norm_eps", 1e-5, false),
		attention:    r.attention(8),
		rope:         r.rope(1e4, 1),
		mlp:          mlp{inner: r.size("inner size of MLPs", "intermediate_size"), function: r.activation("hidden_act"), bias: r.flag(false, "mlp_bias")},
		mixerIn:      r.multiplier("ssm_in_multiplier"),
		mixerOut:     r.multiplier("ssm_out_multiplier"),
		attentionIn:  r.multiplier("attention_in_multiplier"),
		attentionOut: r.multiplier("attention_out_multiplier"),
	}
	m.norm = "model.final_layernorm.weight"
	m.embeddingScale, m.logitsScale = r.multiplier("embedding_multiplier"), r.multiplier("lm_head_multiplier")
	m.attention.bias, m.attention.keyScale = r.flag(false, "attention_bias"), r.multiplier("key_multiplier")
	gateAndDown := r.multipliers("mlp_multipliers", 2)
	m.mlp.gateScale, m.mlpOut = gateAndDown[0], gateAndDown[1]
	m.readMixer(r)
	return m
}

func (m *falconH1) readMixer(r *reader) {
	kind := noNorm
	switch first := r.flag(true, "mamba_norm_before_gate"); {
	case !r.flag(false, "mamba_rms_norm"):
	case first:
		kind = groupNormFirst
	default:
		kind = groupNorm
	}
	m.mixer = r.mixer2(m.eps, kind)
	m.mixer.outBias = r.flag(false, "projectors_bias")
	if m.mixer.inner = r.size("inner size of mixers", "mamba_d_ssm"); r.keys.saysNull("mamba_d_ssm") {
		m.mixer.inner = r.expanded(m.hidden, "mamba_expand")
	}
	k := r.multipliers("ssm_multipliers", 5)
	m.mixer.multiply = &block.SSMMultiplier{Z: k[0], X: k[1], B: k[2], C: k[3], Dt: k[4]}
}

// multipliers reads n factors, all 1 where the config is silent.
func (r *reader) multipliers(name string, n int) []float32 {
	given := slices.Repeat([]number{1}, n)
	want := fmt.Sprintf("%d numbers that are not 0", n)
	r.decode(&given, want, name)
	list := make([]float32, n)
	for i := range list {
		if len(given) != n || given[i] == 0 || math.IsNaN(float64(given[i])) || math.IsInf(float64(given[i]), 0) {
			r.fail(wrong(r.prefix+name, r.keys[name], want))
			return list
		}
		list[i] = float32(given[i])
	}
	return list
}

func (m *falconH1) prepare() error {
	names := append(m.mlp.names("feed_forward."), "input_layernorm.weight", "pre_ff_layernorm.weight")
	names = append(append(names, m.mixer.names("mamba.")...), m.attention.names("self_attn.")...)
	return m.trunk.prepare(func(int) []string { return names })
}

func (m *falconH1) learn() (err error) {
	m.mixer.learn(m.set, m.prefix+"0.mamba.")
	m.mlp.learn(m.set, m.prefix+"0.feed_forward.")
	if err := firstError(m.set.check, func() error { return m.attention.settle(m.set, m.prefix+"0.self_attn.", m.hidden) }); err != nil {
		return err
	}
	m.rotary, err = m.rope.rotary(m.attention.dim)
	return err
}

// layer adds mixer and attention, of the same norm of the stream, at once, and
// then the MLP.
func (m *falconH1) layer(_ int, prefix string) layer {
	first := m.set.shaped(prefix+"input_layernorm.weight", m.hidden.times(1))
	mixer := m.mixer.parameters(m.set, prefix+"mamba.", m.hidden)
	attention := m.attention.parameters(m.set, prefix+"self_attn.", m.hidden.times(1), m.hidden.times(1))
	second := m.set.shaped(prefix+"pre_ff_layernorm.weight", m.hidden.times(1))
	forward := m.mlp.parameters(m.set, prefix+"feed_forward.", m.hidden)
	return func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
		h := b.RMSNorm(x, first, m.eps)
		mixed := b.Scale(mixer.Append(b, b.Scale(h, m.mixerIn), region), m.mixerOut)
		attended := b.Scale(attention.Append(b, b.Scale(h, m.attentionIn), region, angles), m.attentionOut)
		x = b.Add(x, b.Add(mixed, attended))
		return b.Add(x, b.Scale(forward.Append(b, b.RMSNorm(x, second, m.eps)), m.mlpOut))
	}
}

func (m *falconH1) facts() []Fact {
	list := append(m.mixer.facts(), m.attention.facts()...)
	return append(list, Fact{m.mlp.inner.what, m.mlp.inner.n})
}
