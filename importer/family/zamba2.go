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
	register(Family{Name: "zamba2", Match: typed("zamba2"), Import: settled(importZamba2)})
}

// zamba2 is families.md §11: layers are Mamba-2 mixers, before some of which one
// of a few blocks of attention and MLP is put; hybrid layer j, the jth of those,
// has block j mod blocks.
type zamba2 struct {
	trunk
	kinds     kinds
	hybrids   []int            // the layers that have a block
	copies    map[int][]string // where each block is stored: prefixes
	mixer     mixer2
	attention attention
	wide      size  // of attention: that of the stream and of the embedding
	rope      *rope // nil for none
	inner     size  // of the blocks' MLPs
	function  string
	bias      bool // of MLPs, and of mixers
	blocks    size
	rank      size // of adapters
	adapted   bool // queries, keys and values have adapters too
	embedded  *ir.Value
}

// importZamba2 reads Zamba2.
func importZamba2(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readZamba2(r, s)
	if err := firstError(r.failed, m.agree, m.prepare, m.fits, m.learn); err != nil {
		return nil, err
	}
	return m.assemble(c, "zamba2", m.layer, m.facts()...)
}

func readZamba2(r *reader, s *Set) *zamba2 {
	m := &zamba2{
		trunk:     readTrunk(r, s, "rms_norm_eps", 1e-5, true),
		attention: r.attention(0),
		inner:     r.size("inner size of MLPs", "intermediate_size"),
		function:  r.activationOr("gelu", "hidden_act"),
		bias:      r.flag(false, "add_bias_linear"),
		blocks:    r.sizeOr(1, "shared blocks", "num_mem_blocks"),
		rank:      r.size("rank of adapters", "adapter_rank"),
		adapted:   r.flag(false, "use_shared_attention_adapter"),
	}
	m.norm = "model.final_layernorm.weight"
	m.attention.dim = r.size("head dim", "attention_head_dim")
	if r.flag(false, "use_mem_rope") {
		m.rope = r.rope(1e4, 1)
	}
	m.mixer = mixer2{
		inner:      r.expanded(m.hidden, "mamba_expand"),
		heads:      r.size("heads of mixers", "n_mamba_heads"),
		headDim:    r.size("head dim of mixers", "mamba_headdim"),
		groups:     r.sizeOr(1, "groups", "mamba_ngroups"),
		states:     r.size("state size", "mamba_d_state"),
		taps:       r.size("conv kernel", "mamba_d_conv"),
		inBias:     m.bias,
		outBias:    m.bias,
		convBias:   true,
		activation: "silu", // whatever hidden_act says
		low:        r.least("time_step_min"),
		gate:       groupNorm,
		eps:        1e-5, // fixed
	}
	m.readKinds(r)
	return m
}

// readKinds reads the kinds of layers, by default those of the first model.
func (m *zamba2) readKinds(r *reader) {
	known := []string{"mamba", "hybrid"}
	if m.kinds = r.kinds(&m.layers, known...); m.kinds.at == nil {
		runs := func(lengths ...int) (list []string) {
			for _, n := range lengths {
				list = append(append(list, slices.Repeat([]string{"mamba"}, n)...), "hybrid")
			}
			return list
		}
		list := append(runs(6, 5, 5, 5, 5, 5, 5, 4, 3), "mamba", "mamba")
		m.kinds = r.listed(list, "the default of layers_block_type", &m.layers, known...)
	}
	if r.err != nil {
		return // the number of layers may be any
	}
	for i := range m.layers.n {
		if m.kinds.at(i) == "hybrid" {
			m.hybrids = append(m.hybrids, i)
		}
	}
	m.readHybrids(r)
	m.copies = map[int][]string{}
	for j := range m.hybrids {
		if m.set.has(m.own(j) + "input_layernorm.weight") {
			m.copies[j%m.blocks.n] = append(m.copies[j%m.blocks.n], m.own(j))
		}
	}
}

// readHybrids holds the config's own list of layers that have a block against
// what they are: blocks and adapters are numbered by it.
func (m *zamba2) readHybrids(r *reader) {
	var list []int
	from := r.decode(&list, "a list of whole numbers", "hybrid_layer_ids")
	if from != "" && !slices.Equal(list, m.hybrids) {
		r.fail(fmt.Errorf("%s: have layers %v, but %s has them at %v", from, list, m.kinds.from, m.hybrids))
	}
}

// least reads a lower bound of Δ, which has no upper one.
func (r *reader) least(name string) float32 {
	v := r.number(0.001, name)
	if v < 0 || v > 1e6 {
		r.fail(fmt.Errorf("%s: have %v, want 0 to 1e6", r.prefix+name, v))
	}
	return float32(v)
}

func (m *zamba2) agree() error {
	return m.kinds.agree(m.set, m.prefix, map[string]string{"mamba": "mamba.in_proj.weight", "hybrid": "linear.weight"})
}

// own is the prefix of the block of hybrid layer j, were it stored there.
func (m *zamba2) own(j int) string {
	return fmt.Sprintf("%s%d.shared_transformer.", m.prefix, m.hybrids[j])
}

// home is the prefix of the block of hybrid layer j where it is stored: at the
// first layer that has it, unless the layer has a copy.
func (m *zamba2) home(j int) string {
	if slices.Contains(m.copies[j%m.blocks.n], m.own(j)) {
		return m.own(j)
	}
	return m.own(j % m.blocks.n)
}

// prepare proves that nothing is missing, blocks apart.
func (m *zamba2) prepare() error {
	return m.trunk.prepare(func(i int) []string {
		if m.kinds.at(i) == "mamba" {
			return append(m.mixer.names("mamba."), "input_layernorm.weight")
		}
		return append(m.mixer.names("mamba_decoder.mamba."), "mamba_decoder.input_layernorm.weight", "linear.weight")
	})
}

// learn reads the sizes that the config does not give off the first layer of
// each kind.
func (m *zamba2) learn() error {
	if i := m.kinds.first(m.layers.n, "mamba"); i >= 0 {
		m.mixer.learn(m.set, layerNames(m.prefix, i, []string{"mamba."})[0])
	}
	if len(m.hybrids) == 0 {
		return m.set.check()
	}
	m.mixer.learn(m.set, layerNames(m.prefix, m.hybrids[0], []string{"mamba_decoder.mamba."})[0])
	m.set.learn(&m.inner, m.own(0)+"feed_forward.down_proj.weight", 1)
	m.set.learn(&m.rank, m.own(0)+gateUpAdapter(0)+"0.weight", 0)
	return firstError(m.set.check, m.settle)
}

// settle divides the width of attention into heads.
func (m *zamba2) settle() (err error) {
	m.wide = size{"width of attention", 2 * m.hidden.n, "twice " + m.hidden.from}
	if a := m.attention; a.dim.n > 0 && a.heads.n*a.dim.n != m.wide.n {
		return fmt.Errorf("config.json: %v times %v is %d, but %v", a.heads, a.dim, a.heads.n*a.dim.n, m.wide)
	}
	if err := m.attention.settle(m.set, m.own(0)+"self_attn.", m.wide); err != nil {
		return err
	}
	if a := m.attention; m.adapted && a.kv.n < a.heads.n {
		return fmt.Errorf("config.json: %v are fewer than %v, but adapters (use_shared_attention_adapter) add to keys and values of all heads", a.kv, a.heads)
	}
	m.attention.scale = float32(1 / math.Sqrt(float64(m.attention.dim.n)/2))
	if m.rope != nil {
		m.rotary, err = m.rope.rotary(m.attention.dim)
	}
	return err
}

// layer is a mixer of the norm of the stream, to which a hybrid layer adds its
// block's result before the norm alone.
func (m *zamba2) layer(i int, prefix string) layer {
	var shared *block.Zamba2
	if j := slices.Index(m.hybrids, i); j >= 0 {
		shared = m.block(j)
		shared.Out = m.set.shaped(prefix+"linear.weight", m.hidden.times(1), m.hidden.times(1))
		prefix += "mamba_decoder."
	}
	norm := m.set.shaped(prefix+"input_layernorm.weight", m.hidden.times(1))
	mixer := m.mixer.parameters(m.set, prefix+"mamba.", m.hidden)
	return func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
		if i == 0 {
			m.embedded = x
		}
		h := x
		if shared != nil {
			h = b.Add(h, shared.Append(b, x, m.embedded, region, angles))
		}
		return b.Add(x, mixer.Append(b, b.RMSNorm(h, norm, m.eps), region))
	}
}

// block is the parameters of a hybrid layer's block, and its own adapters.
func (m *zamba2) block(j int) *block.Zamba2 {
	s, prefix := m.set, m.home(j)
	m.ignoreCopies(j)
	hidden, inner := m.hidden.times(1), m.inner.times(1)
	p := &block.Zamba2{
		InputNorm:     s.shaped(prefix+"input_layernorm.weight", m.hidden.times(2)),
		MLPNorm:       s.shaped(prefix+"pre_ff_layernorm.weight", hidden),
		Attention:     m.attention.parameters(s, prefix+"self_attn.", m.hidden.times(2), hidden),
		GateUp:        s.shaped(prefix+"feed_forward.gate_up_proj.weight", m.inner.times(2), hidden),
		GateUpAdapter: m.adapter(prefix+gateUpAdapter(j), hidden, m.inner.times(2)),
		Down:          s.shaped(prefix+"feed_forward.down_proj.weight", hidden, inner),
		Function:      m.function,
		Eps:           m.eps,
	}
	if m.bias {
		p.GateUpBias, p.DownBias = s.shaped(prefix+"feed_forward.gate_up_proj.bias", m.inner.times(2)), s.shaped(prefix+"feed_forward.down_proj.bias", hidden)
	}
	if m.adapted {
		in, a := m.hidden.times(2), m.attention
		all := axis{a.heads.n * a.dim.n, []size{a.heads, a.dim}}
		p.QueryAdapter = m.adapter(prefix+attentionAdapter("q", j), in, all)
		p.KeyAdapter = m.adapter(prefix+attentionAdapter("k", j), in, all)
		p.ValueAdapter = m.adapter(prefix+attentionAdapter("v", j), in, all)
	}
	return p
}

func gateUpAdapter(j int) string { return fmt.Sprintf("feed_forward.gate_up_proj_adapter_list.%d.", j) }

func attentionAdapter(of string, j int) string {
	return fmt.Sprintf("self_attn.linear_%s_adapter_list.%d.", of, j)
}

func (m *zamba2) adapter(prefix string, in, out axis) *block.Adapter {
	return &block.Adapter{First: m.set.shaped(prefix+"0.weight", m.rank.times(1), in), Second: m.set.shaped(prefix+"1.weight", out, m.rank.times(1))}
}

// ignoreCopies passes over the adapters of hybrid layer j in copies of its block
// that other layers have.
func (m *zamba2) ignoreCopies(j int) {
	for _, prefix := range m.copies[j%m.blocks.n] {
		if prefix == m.home(j) {
			continue
		}
		for _, list := range []string{gateUpAdapter(j), attentionAdapter("q", j), attentionAdapter("k", j), attentionAdapter("v", j)} {
			m.set.ignore(prefixed(prefix+list, "0.weight", "1.weight")...)
		}
	}
}

func (m *zamba2) facts() []Fact {
	list := m.mixer.facts()
	if len(m.hybrids) == 0 {
		return list
	}
	list = append(list, m.attention.facts()...)
	return append(list, Fact{m.inner.what, m.inner.n}, Fact{m.blocks.what, m.blocks.n}, Fact{m.rank.what, m.rank.n})
}
