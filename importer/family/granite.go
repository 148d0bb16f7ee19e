package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

func init() {
	register(Family{Name: "granitemoehybrid", Match: typed("granitemoehybrid"), Import: settled(importGranite)})
}

// granite is Granite-4-H (families.md §9.2): layers are Mamba-2 or attention,
// and then an MLP and, beside it, experts.
type granite struct {
	hybrid
	shared   size // inner size of the MLP
	experts  experts
	residual float32 // of what is added to the stream
}

// importGranite reads Granite-4-H.
func importGranite(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readGranite(r, s)
	if err := firstError(r.failed, m.agree, m.prepare, m.fits, m.learn); err != nil {
		return nil, err
	}
	return m.assemble(c, "granitemoehybrid", m.layer, m.facts()...)
}

func readGranite(r *reader, s *Set) *granite {
	m := &granite{
		hybrid:   hybrid{trunk: readTrunk(r, s, "rms_norm_eps", 1e-6, false), attention: r.attention(0)},
		shared:   r.size("inner size of MLPs", "shared_intermediate_size"),
		residual: r.multiplier("residual_multiplier"),
		experts: experts{
			count:    r.count(8, "experts", "num_local_experts"),
			top:      r.count(2, "experts per token", "num_experts_per_tok"), // 0 where there are no experts
			inner:    r.size("inner size of experts", "intermediate_size"),
			router:   "top_softmax",
			function: r.activation("hidden_act"),
			spellings: []expertNames{{router: "block_sparse_moe.router.layer.weight", fusedIn: "block_sparse_moe.input_linear.weight",
				fusedDown: "block_sparse_moe.output_linear.weight"}},
		},
	}
	m.embeddingScale, m.logitsScale = r.multiplier("embedding_multiplier"), 1/r.multiplier("logits_scaling")
	m.attention.bias, m.attention.scale = r.flag(false, "attention_bias"), r.multiplier("attention_multiplier")
	m.mixer = r.mixer2(m.eps, wholeNorm)
	m.mixer.inner = r.expanded(m.hidden, "mamba_expand")
	if r.text("", "position_embedding_type") == "rope" {
		m.rope = r.rope(1e4, 1)
	}
	if m.kinds = r.kinds(&m.layers, "mamba", "attention"); m.kinds.at == nil {
		m.kinds = r.all("mamba", "layer_types")
	}
	return m
}

// prepare proves that nothing is missing.
func (m *granite) prepare() error {
	return m.trunk.prepare(func(i int) []string {
		names := append(m.names(i), "input_layernorm.weight", "post_attention_layernorm.weight",
			"shared_mlp.input_linear.weight", "shared_mlp.output_linear.weight")
		if m.experts.count.n > 0 {
			spelling := m.experts.spellings[0]
			names = append(names, spelling.router, spelling.fusedIn, spelling.fusedDown)
		}
		return names
	})
}

func (m *granite) learn() error {
	first := m.prefix + "0."
	m.set.learn(&m.shared, first+"shared_mlp.output_linear.weight", 1)
	if err := m.hybrid.learn(); err != nil || m.experts.count.n == 0 {
		return err
	}
	return firstError(func() error { return m.experts.learn(m.set, first) }, m.set.check)
}

// layer is the mixer or the attention and then the MLP with the experts, each
// of the norm of the stream and scaled before it is added.
func (m *granite) layer(i int, prefix string) layer {
	first := m.set.shaped(prefix+"input_layernorm.weight", m.hidden.times(1))
	mix := m.mix(i, prefix)
	second := m.set.shaped(prefix+"post_attention_layernorm.weight", m.hidden.times(1))
	forward := m.forward(prefix)
	return func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
		x = b.Add(x, b.Scale(mix(b, b.RMSNorm(x, first, m.eps), angles, region), m.residual))
		return b.Add(x, b.Scale(forward(b, b.RMSNorm(x, second, m.eps)), m.residual))
	}
}

// forward is the shared MLP plus the experts.
func (m *granite) forward(prefix string) func(b *build.Builder, x *ir.Value) *ir.Value {
	hidden := m.hidden.times(1)
	shared := &block.MLP{
		GateUp:   m.set.shaped(prefix+"shared_mlp.input_linear.weight", m.shared.times(2), hidden),
		Down:     m.set.shaped(prefix+"shared_mlp.output_linear.weight", hidden, m.shared.times(1)),
		Function: m.experts.function,
	}
	if m.experts.count.n == 0 {
		return shared.Append
	}
	routed := m.experts.parameters(m.set, prefix, m.hidden)
	return func(b *build.Builder, x *ir.Value) *ir.Value { return b.Add(routed.Append(b, x), shared.Append(b, x)) }
}

func (m *granite) facts() []Fact {
	list := m.hybrid.facts(Fact{m.shared.what, m.shared.n})
	if m.experts.count.n > 0 {
		list = append(list, m.experts.facts()...)
	}
	return list
}
