package convert

import (
	"strconv"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

func init() { registerWay("gguf", "llama", ggufLlama) }

// llama is a model of Llama, Mistral or Mixtral on its way into a file
// (families.md §13).
type llama struct{ *family.Llama }

func (m *llama) hidden() int                 { return m.Embedding.Shape[1] }
func (m *llama) rows() int                   { return m.Embedding.Shape[0] }
func (m *llama) first() *family.LlamaLayer   { return &m.Layers[0] }
func (m *llama) attention() *block.Attention { return m.first().Attention }

// inner is the width of an MLP, or of one expert.
func (m *llama) inner() int {
	if x := m.first().Experts; x != nil {
		return x.Down.Shape[1]
	}
	return m.first().MLP.Gate.Shape[0]
}

// llamaContext is the context of a model whose config says none, which is
// transformers' own guess.
const llamaContext = 2048

// ggufLlama is llama.cpp's architecture llama, which turns neighbours of a head
// where checkpoints turn elements half a head apart: rows of queries and keys
// change places.
func ggufLlama(s *Source, dtype string) (*Conversion, error) {
	m := &llama{s.Model.Architecture.(*family.Llama)}
	if err := m.refuseGGUF(); err != nil {
		return nil, err
	}
	g := &ggufModel{source: s, dtype: dtype}
	g.begin("llama", g.chosen(m.attention().Q))
	m.ggufSizes(g)
	if err := g.tokenizer(m.rows()); err != nil {
		return nil, err
	}
	g.ends(&m.Ends)
	if stretch := m.Rotary.Stretch; stretch != nil {
		shape := tensor.Shape{len(stretch)}
		g.small("rope_freqs.weight", &ir.Param{Name: "rotary.stretch", Shape: shape, DType: tensor.F32, Source: tensor.Values(stretch, 1)}, shape...)
	}
	for i := range m.Layers {
		m.ggufLayer(g, "blk."+strconv.Itoa(i)+".", &m.Layers[i])
	}
	return g.conversion()
}

func (m *llama) ggufSizes(g *ggufModel) {
	a := m.attention()
	g.size("llama.context_length", m.context())
	g.size("llama.embedding_length", m.hidden())
	g.size("llama.block_count", len(m.Layers))
	g.size("llama.feed_forward_length", m.inner())
	g.size("llama.vocab_size", m.rows())
	g.size("llama.attention.head_count", a.Heads)
	g.size("llama.attention.head_count_kv", a.KVHeads)
	g.size("llama.attention.key_length", a.HeadDim)
	g.size("llama.attention.value_length", a.HeadDim)
	g.pair("llama.attention.layer_norm_rms_epsilon", m.Epsilon)
	g.size("llama.rope.dimension_count", a.HeadDim)
	g.pair("llama.rope.freq_base", float32(m.Rotary.Theta))
	if m.Rotary.Factor != 1 {
		g.pair("llama.rope.scaling.attn_factor", m.Rotary.Factor)
	}
	if x := m.first().Experts; x != nil {
		g.size("llama.expert_count", x.Router.Shape[0])
		g.size("llama.expert_used_count", x.Route.Top)
	}
}

func (m *llama) context() int {
	if m.Longest == 0 {
		return llamaContext
	}
	return m.Longest
}

// refuseGGUF tells what llama.cpp's llama has no place for.
func (m *llama) refuseGGUF() error {
	a := m.attention()
	function := ""
	if x := m.first().Experts; x != nil {
		function = x.Function
	} else {
		function = m.first().MLP.Function
	}
	return firstError(
		refuse(function != "silu", "gguf has silu in the MLPs of llama, this model has %s (hidden_act)", function),
		refuse(a.Window > 0 && a.Window < m.context(),
			"gguf has no sliding window in llama; up to %d tokens it makes no difference, for which set max_position_embeddings of config.json, now %d, to that", a.Window, m.context()),
	)
}

func (m *llama) ggufLayer(g *ggufModel, prefix string, l *family.LlamaLayer) {
	a := l.Attention
	g.small(prefix+"attn_norm.weight", l.Norm, m.hidden())
	g.project(prefix+"attn_q", neighbours(a.Q, a.HeadDim), neighbours(a.QBias, a.HeadDim))
	g.project(prefix+"attn_k", neighbours(a.K, a.HeadDim), neighbours(a.KBias, a.HeadDim))
	g.project(prefix+"attn_v", a.V, a.VBias)
	g.project(prefix+"attn_output", a.O, a.OBias)
	g.small(prefix+"ffn_norm.weight", l.ForwardNorm, m.hidden())
	if l.Experts != nil {
		m.ggufExperts(g, prefix, l.Experts)
		return
	}
	g.project(prefix+"ffn_gate", l.MLP.Gate, l.MLP.GateBias)
	g.project(prefix+"ffn_up", l.MLP.Up, l.MLP.UpBias)
	g.project(prefix+"ffn_down", l.MLP.Down, l.MLP.DownBias)
}

// ggufExperts adds the router, float32 as llama.cpp has it, and the experts:
// gates of all of them together, and so on.
func (m *llama) ggufExperts(g *ggufModel, prefix string, x *block.MoE) {
	count, inner := x.Router.Shape[0], m.inner()
	g.small(prefix+"ffn_gate_inp.weight", x.Router, count, m.hidden())
	half := func(which int) *ir.Param {
		return rearranged(x.In, count*inner, func(row int) int { return (2*(row/inner)+which)*inner + row%inner })
	}
	g.stack(prefix+"ffn_gate_exps.weight", half(0), count)
	g.stack(prefix+"ffn_up_exps.weight", half(1), count)
	g.stack(prefix+"ffn_down_exps.weight", x.Down, count)
}

// neighbours puts rows of heads that are half a head apart beside each other.
// It passes on nil.
func neighbours(p *ir.Param, dim int) *ir.Param {
	if p == nil {
		return nil
	}
	return rearranged(p, p.Shape[0], func(row int) int {
		head, at := row/dim*dim, row%dim
		return head + at%2*(dim/2) + at/2
	})
}
