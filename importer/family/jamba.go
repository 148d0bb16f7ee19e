package family

import (
	"fmt"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

func init() {
	register(Family{Name: "jamba", Match: typed("jamba"), Import: settled(importJamba)})
}

// jamba is families.md §8: which layers are attention, the others being
// Mamba-1, and which have experts, the others an MLP, are two schedules.
type jamba struct {
	trunk
	attention           attention
	mixer               mixer1
	mlp                 mlp
	experts             experts
	attended, scheduled schedule
}

// schedule is layers at a distance from each other.
type schedule struct{ period, offset size }

func (r *reader) schedule(prefix string, period, offset int) schedule {
	s := schedule{r.sizeOr(period, "period", prefix+"_layer_period"), r.count(offset, "offset", prefix+"_layer_offset")}
	if s.offset.n >= s.period.n {
		r.fail(fmt.Errorf("%v, want less than %v", s.offset, s.period))
	}
	return s
}

func (s schedule) has(layer int) bool { return layer%s.period.n == s.offset.n }

// importJamba reads Jamba, its experts one by one or fused.
func importJamba(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readJamba(r, s)
	if err := firstError(r.failed, m.agree, m.prepare, m.fits, m.learn); err != nil {
		return nil, err
	}
	return m.assemble(c, "jamba", m.layer, m.facts()...)
}

func readJamba(r *reader, s *Set) *jamba {
	m := &jamba{
		trunk:     readTrunk(r, s, "rms_norm_eps", 1e-6, false),
		attention: r.attention(8),
		mixer: mixer1{
			states:     r.size("state size", "mamba_d_state"),
			taps:       r.size("conv kernel", "mamba_d_conv"),
			bias:       r.flag(false, "mamba_proj_bias"),
			convBias:   r.flag(true, "mamba_conv_bias"),
			activation: r.activation("hidden_act"), // the gate is always silu
		},
		mlp:       mlp{inner: r.size("inner size", "intermediate_size"), function: r.activation("hidden_act")},
		attended:  r.schedule("attn", 8, 4),
		scheduled: r.schedule("expert", 2, 1),
	}
	m.norm = "model.final_layernorm.weight"
	m.mixer.inner = r.expanded(m.hidden, "mamba_expand")
	m.mixer.inner.what = "inner size of mixers"
	m.mixer.rank = r.sizeOrAuto("dt rank", "mamba_dt_rank", m.hidden)
	m.experts = experts{
		count:    r.sizeOr(16, "experts", "num_experts", "num_local_experts"),
		top:      r.sizeOr(2, "experts per token", "num_experts_per_tok"),
		inner:    m.mlp.inner,
		router:   "softmax",
		function: m.mlp.function,
	}
	const router, fusedIn, fusedDown = "feed_forward.router.weight", "feed_forward.experts.gate_up_proj", "feed_forward.experts.down_proj"
	m.experts.spellings = []expertNames{
		{router: router, each: "feed_forward.experts.", gate: "gate_proj.weight", up: "up_proj.weight", down: "down_proj.weight",
			fusedIn: fusedIn, fusedDown: fusedDown},
		{router: router, fusedIn: fusedIn, fusedDown: fusedDown},
	}
	return m
}

// attends reports whether there is attention.
func (m *jamba) attends() bool { return m.attended.offset.n < m.layers.n }

// routed reports whether a layer has experts.
func (m *jamba) routed(i int) bool { return m.experts.count.n > 1 && m.scheduled.has(i) }

// prepare proves that nothing is missing, experts apart.
func (m *jamba) prepare() error {
	return m.trunk.prepare(func(i int) []string {
		names := []string{"input_layernorm.weight", "pre_ff_layernorm.weight"}
		if m.attended.has(i) {
			names = append(names, m.attention.names("self_attn.")...)
		} else {
			names = append(names, m.mixer.names("mamba.")...)
			names = append(names, prefixed("mamba.", "dt_layernorm.weight", "b_layernorm.weight", "c_layernorm.weight")...)
		}
		if m.routed(i) {
			return append(names, "feed_forward.router.weight")
		}
		return append(names, m.mlp.names("feed_forward.")...)
	})
}

// agree holds both schedules against what is stored.
func (m *jamba) agree() error {
	for _, i := range m.set.layers(m.prefix) {
		prefix := fmt.Sprintf("%s%d.", m.prefix, i)
		stranger := map[bool]string{true: "mamba.in_proj.weight", false: "self_attn.q_proj.weight"}[m.attended.has(i)]
		if m.set.has(prefix + stranger) {
			return fmt.Errorf("config.json: %v and %v do not agree with %s; is config.json from this checkpoint?",
				m.attended.period, m.attended.offset, prefix+stranger)
		}
		stranger = map[bool]string{true: "feed_forward.gate_proj.weight", false: "feed_forward.router.weight"}[m.routed(i)]
		if m.set.has(prefix + stranger) {
			return fmt.Errorf("config.json: %v, %v and %v do not agree with %s; is config.json from this checkpoint?",
				m.experts.count, m.scheduled.period, m.scheduled.offset, prefix+stranger)
		}
	}
	return nil
}

// learn reads the sizes that the config does not give off the first layer of
// each kind.
func (m *jamba) learn() error {
	if m.attends() {
		if err := m.attention.settle(m.set, fmt.Sprintf("%s%d.self_attn.", m.prefix, m.attended.offset.n), m.hidden); err != nil {
			return err
		}
	}
	for i := range m.layers.n {
		prefix := fmt.Sprintf("%s%d.", m.prefix, i)
		if !m.attended.has(i) {
			m.mixer.learn(m.set, prefix+"mamba.")
		}
		if !m.routed(i) {
			m.mlp.learn(m.set, prefix+"feed_forward.")
		} else if err := m.experts.learn(m.set, prefix); err != nil {
			return err
		}
	}
	return m.set.check()
}

// layer is the mixer and then the feed-forward block, each of the norm of the
// stream. Nothing knows positions.
func (m *jamba) layer(i int, prefix string) layer {
	first := m.set.shaped(prefix+"input_layernorm.weight", m.hidden.times(1))
	mix := m.mix(i, prefix)
	second := m.set.shaped(prefix+"pre_ff_layernorm.weight", m.hidden.times(1))
	forward := m.forward(i, prefix)
	return func(b *build.Builder, x, _ *ir.Value, region string) *ir.Value {
		x = b.Add(x, mix(b, b.RMSNorm(x, first, m.eps), region))
		return b.Add(x, forward.Append(b, b.RMSNorm(x, second, m.eps)))
	}
}

// mixing appends a mixer of the normed input.
type mixing func(b *build.Builder, x *ir.Value, region string) *ir.Value

func (m *jamba) mix(i int, prefix string) mixing {
	if m.attended.has(i) {
		p := m.attention.parameters(m.set, prefix+"self_attn.", m.hidden.times(1), m.hidden.times(1))
		return func(b *build.Builder, x *ir.Value, region string) *ir.Value { return p.Append(b, x, region, nil) }
	}
	prefix += "mamba."
	p := m.mixer.parameters(m.set, prefix, m.hidden)
	p.Norms = &block.Mamba1Norms{
		Dt:  m.set.shaped(prefix+"dt_layernorm.weight", m.mixer.rank.times(1)),
		B:   m.set.shaped(prefix+"b_layernorm.weight", m.mixer.states.times(1)),
		C:   m.set.shaped(prefix+"c_layernorm.weight", m.mixer.states.times(1)),
		Eps: m.eps,
	}
	return p.Append
}

func (m *jamba) forward(i int, prefix string) feedForward {
	if m.routed(i) {
		return m.experts.parameters(m.set, prefix, m.hidden)
	}
	return m.mlp.parameters(m.set, prefix+"feed_forward.", m.hidden)
}

func (m *jamba) facts() []Fact {
	list := append(m.mixer.facts(), Fact{"inner size of MLPs", m.mlp.inner.n})
	if m.attends() {
		list = append(m.attention.facts(), list...)
	}
	return append(list, m.experts.facts()...)
}
