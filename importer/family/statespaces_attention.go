package family

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
)

// mha is what attn_cfg says of the attention layers of the state-spaces layout
// (families.md §5.2).
type mha struct {
	layers              []int
	heads, kv, dim, mlp size
	taps                size // of the conv; 0 for none
	inBias, outBias     bool
	scale               float32
	interleaved         bool
}

// mhaKeys are those of attn_cfg that are understood.
var mhaKeys = []string{"num_heads", "num_heads_kv", "head_dim", "mlp_dim", "qkv_proj_bias", "out_proj_bias", "softmax_scale", "causal", "d_conv",
	"rotary_emb_dim", "rotary_emb_base", "rotary_emb_interleaved"}

// mha reads attn_layer_idx and attn_cfg. Without such layers there is none.
func (r *reader) mha(hidden, layers size) (*mha, *Rotary) {
	m := &mha{}
	r.decode(&m.layers, "a list of whole numbers", "attn_layer_idx")
	if len(m.layers) == 0 {
		return nil, nil
	}
	for _, i := range m.layers {
		if i < 0 || i >= layers.n {
			r.fail(fmt.Errorf("attn_layer_idx: have layer %d, want 0 to %d", i, layers.n-1))
		}
	}
	in := r.object("attn_cfg")
	turned := m.read(in, hidden)
	r.take(in)
	if r.err != nil || turned == 0 {
		return m, nil
	}
	return m, r.mhaRotary(in, turned, m.dim)
}

// read also says how many elements of a head are turned.
func (m *mha) read(r *reader, hidden size) int {
	r.only(mhaKeys)
	m.heads = r.size("heads of attention", "num_heads")
	if m.heads.n == 0 {
		r.fail(fmt.Errorf("%snum_heads: is missing", r.prefix))
		return 0
	}
	m.kv = r.sizeOr(m.heads.n, "heads of keys and values", "num_heads_kv")
	m.dim = r.size("head dim", "head_dim")
	if r.err != nil {
		return 0
	}
	if m.dim.n == 0 {
		m.dim = size{"head dim", hidden.n / m.heads.n, hidden.from + " and " + m.heads.from}
		if hidden.n%m.heads.n != 0 {
			r.fail(fmt.Errorf("%v do not divide %v, and there is no head_dim", m.heads, hidden))
		}
	}
	if m.heads.n%m.kv.n != 0 {
		r.fail(fmt.Errorf("%v do not divide %v", m.kv, m.heads))
	}
	if !r.flag(false, "causal") {
		r.fail(fmt.Errorf("%scausal: is false or absent, by which tokens would see those after them, and a decoder has none yet; set it to true if the model was trained so", r.prefix))
	}
	m.mlp = r.count(0, "MLP beside attention", "mlp_dim")
	m.mlp.n = roundUp(m.mlp.n, 256)
	m.taps = r.count(0, "conv kernel of attention", "d_conv")
	m.inBias, m.outBias = r.flag(true, "qkv_proj_bias"), r.flag(true, "out_proj_bias")
	m.scale = float32(r.number(1/math.Sqrt(float64(m.dim.n)), "softmax_scale"))
	m.interleaved = r.flag(false, "rotary_emb_interleaved")
	return r.count(0, "turned elements", "rotary_emb_dim").n
}

// mhaRotary makes the frequencies.
func (r *reader) mhaRotary(in *reader, turned int, dim size) *Rotary {
	p := &rope{in: in, kind: "default", scale: plain, theta: in.number(1e4, "rotary_emb_base"), partial: 1}
	if p.theta <= 0 || turned%2 != 0 || turned > dim.n {
		in.fail(fmt.Errorf("%srotary_emb_dim: have %d with base %v, want an even number up to %v, and a base above 0", in.prefix, turned, p.theta, dim))
		r.take(in)
		return nil
	}
	made, err := p.rotary(size{"turned elements", turned, in.prefix + "rotary_emb_dim"})
	if err != nil {
		r.fail(err)
	}
	return made
}

// names lists what a layer stores.
func (m *mha) names(prefix string) []string {
	list := []string{"in_proj.weight", "out_proj.weight"}
	if m.inBias {
		list = append(list, "in_proj.bias")
	}
	if m.outBias {
		list = append(list, "out_proj.bias")
	}
	if m.taps.n > 0 {
		list = append(list, "conv1d.weight", "conv1d.bias")
	}
	return prefixed(prefix, list...)
}

// parameters is the layer whose tensors have the prefix.
func (m *mha) parameters(s *Set, prefix string, width size) *block.MHA {
	tensor := func(name string, axes ...axis) *ir.Param { return s.shaped(prefix+name, axes...) }
	hidden := width.times(1)
	mixed := axis{m.dim.n * (m.heads.n + 2*m.kv.n), []size{m.heads, m.kv, m.dim}}
	rows := axis{mixed.n + m.mlp.n, append([]size{m.mlp}, mixed.of...)}
	p := &block.MHA{
		InProj:  tensor("in_proj.weight", rows, hidden),
		OutProj: tensor("out_proj.weight", hidden, axis{m.dim.n*m.heads.n + m.mlp.n/2, []size{m.heads, m.dim, m.mlp}}),
		Core:    block.Attention{Heads: m.heads.n, KVHeads: m.kv.n, HeadDim: m.dim.n, Scale: m.scale, Interleaved: m.interleaved},
	}
	if m.inBias {
		p.InProjBias = tensor("in_proj.bias", rows)
	}
	if m.outBias {
		p.OutProjBias = tensor("out_proj.bias", hidden)
	}
	if m.taps.n > 0 {
		p.Conv, p.ConvBias = tensor("conv1d.weight", mixed, axis{n: 1}, m.taps.times(1)), tensor("conv1d.bias", mixed)
	}
	return p
}

func (m *mha) facts() []Fact {
	return []Fact{{"attention layers", len(m.layers)}, {m.heads.what, m.heads.n}, {m.kv.what, m.kv.n}, {m.dim.what, m.dim.n}}
}
