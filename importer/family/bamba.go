package family

import (
	"fmt"
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

func init() {
	register(Family{Name: "bamba", Match: typed("bamba"), Import: settled(importBamba)})
}

// bamba is families.md §9.1: layers are Mamba-2 or attention, and then an MLP.
type bamba struct {
	hybrid
	mlp mlp
}

// importBamba reads Bamba.
func importBamba(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readBamba(r, s)
	if err := firstError(r.failed, m.agree, m.prepare, m.fits, m.learn); err != nil {
		return nil, err
	}
	return m.assemble(c, "bamba", m.layer, m.facts(Fact{"inner size of MLPs", m.mlp.inner.n})...)
}

func readBamba(r *reader, s *Set) *bamba {
	m := &bamba{
		hybrid: hybrid{trunk: readTrunk(r, s, "rms_norm_eps", 1e-5, false), attention: r.attention(8), rope: r.rope(1e4, 0.5)},
		mlp:    mlp{inner: r.size("inner size of MLPs", "intermediate_size"), function: r.activation("hidden_act"), bias: r.flag(false, "mlp_bias")},
	}
	m.norm = "model.final_layernorm.weight"
	m.mixer = r.mixer2(m.eps, wholeNorm)
	m.mixer.inner = r.expanded(m.hidden, "mamba_expand")
	m.attention.bias = r.flag(false, "attention_bias")
	// There is a frequency for every second element of half a head, and so for its
	// last one if that is odd; as many elements are turned as that makes.
	m.rope.odd = true
	if m.kinds = r.kinds(&m.layers, "mamba", "attention"); m.kinds.at == nil {
		m.kinds = r.attended(m.layers)
	}
	return m
}

// attended is the kinds of layers of which a list names those of attention.
func (r *reader) attended(layers size) kinds {
	var list []int
	from := r.decode(&list, "a list of whole numbers", "attn_layer_indices")
	if from == "" {
		return r.all("mamba", "attn_layer_indices")
	}
	for _, i := range list {
		if i < 0 || layers.n > 0 && i >= layers.n {
			r.fail(fmt.Errorf("%s: have layer %d, but %v", from, i, layers))
		}
	}
	return kinds{from, func(i int) string {
		if slices.Contains(list, i) {
			return "attention"
		}
		return "mamba"
	}}
}

func (m *bamba) prepare() error {
	return m.trunk.prepare(func(i int) []string {
		return append(append(m.names(i), m.mlp.names("feed_forward.")...), "input_layernorm.weight", "pre_ff_layernorm.weight")
	})
}

func (m *bamba) learn() error {
	m.mlp.learn(m.set, m.prefix+"0.feed_forward.")
	return m.hybrid.learn()
}

// layer is the mixer or the attention and then the MLP, each of the norm of the
// stream.
func (m *bamba) layer(i int, prefix string) layer {
	first := m.set.shaped(prefix+"input_layernorm.weight", m.hidden.times(1))
	mix := m.mix(i, prefix)
	second := m.set.shaped(prefix+"pre_ff_layernorm.weight", m.hidden.times(1))
	forward := m.mlp.parameters(m.set, prefix+"feed_forward.", m.hidden)
	return func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
		x = b.Add(x, mix(b, b.RMSNorm(x, first, m.eps), angles, region))
		return b.Add(x, forward.Append(b, b.RMSNorm(x, second, m.eps)))
	}
}
