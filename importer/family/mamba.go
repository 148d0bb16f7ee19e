package family

import (
	"encoding/json"
	"fmt"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/tensor"
)

func init() {
	register(Family{Name: "mamba", Match: func(c Keys) bool { return c.modelType() == "mamba" }, Import: importMamba})
}

func (k Keys) modelType() string {
	var s string
	if err := json.Unmarshal(k["model_type"], &s); err != nil {
		return ""
	}
	return s
}

// mambaConfig is config.json of the Hugging Face layout (families.md §6).
type mambaConfig struct {
	vocab, hidden, layers, inner, states, taps, rank int
	eps                                              float32
	bias, convBias, tied                             bool
}

func readMambaConfig(c Keys) (*mambaConfig, error) {
	r := &reader{keys: c}
	m := &mambaConfig{
		vocab:    r.size(50280, "vocab_size"),
		hidden:   r.size(768, "hidden_size"),
		layers:   r.size(32, "num_hidden_layers", "n_layer"),
		states:   r.size(16, "state_size"),
		taps:     r.size(4, "conv_kernel"),
		eps:      float32(r.number(1e-5, "layer_norm_epsilon")),
		bias:     r.flag(false, "use_bias"),
		convBias: r.flag(true, "use_conv_bias"),
		tied:     r.flag(true, "tie_word_embeddings"),
	}
	m.inner = r.size(int(r.number(2, "expand")*float64(m.hidden)), "intermediate_size")
	m.rank = r.sizeOrAuto((m.hidden+15)/16, "time_step_rank")
	if act := r.text("silu", "hidden_act"); r.err == nil && act != "silu" && act != "swish" {
		return nil, fmt.Errorf("config.json: hidden_act: %q is not supported; known are silu and swish", act)
	}
	return m, r.err
}

func importMamba(c Keys, s *Set) (*Result, error) {
	cfg, err := readMambaConfig(c)
	if err != nil {
		return nil, err
	}
	m := &mamba1Model{name: "mamba", mambaConfig: cfg, set: s,
		embedding: []string{"backbone.embeddings.weight", "backbone.embedding.weight"}}
	module, err := m.build()
	if err != nil {
		return nil, err
	}
	result := &Result{Module: module, VocabSize: cfg.vocab, EOS: c.IDs("eos_token_id"), Facts: m.facts()}
	if bos := c.IDs("bos_token_id"); len(bos) == 1 {
		result.BOS = &bos[0]
	}
	return result, nil
}

// mamba1Model builds the module that both layouts of Mamba-1 share.
type mamba1Model struct {
	*mambaConfig
	name      string
	embedding []string // names that the embedding may have
	set       *Set
	rows      int // vocabulary rows stored
}

func (m *mamba1Model) build() (*ir.Module, error) {
	s := m.set
	embedding := s.axes(2, m.embedding...)
	if err := s.check(); err != nil {
		return nil, err
	}
	m.rows = embedding.Shape[0]
	s.agree("hidden_size", m.hidden, embedding.Shape[1], embedding.Name)
	head := m.head(embedding)
	b := build.New(m.name)
	b.Region("embed")
	x := b.Embed(b.Input(), embedding)
	for i := range m.layers {
		prefix := fmt.Sprintf("backbone.layers.%d", i)
		norm := s.shaped("hidden_size", tensor.Shape{m.hidden}, prefix+".norm.weight")
		mixer := m.mixer(prefix + ".mixer.")
		if err := s.check(); err != nil {
			return nil, err
		}
		b.Region(fmt.Sprintf("layers.%d", i))
		x = b.Add(x, mixer.Append(b, b.RMSNorm(x, norm, m.eps), fmt.Sprintf("layers.%d", i)))
	}
	norm := s.shaped("hidden_size", tensor.Shape{m.hidden}, "backbone.norm_f.weight")
	if err := s.finish(); err != nil {
		return nil, err
	}
	b.Region("head")
	return b.Finish(b.Linear(b.RMSNorm(x, norm, m.eps), head, nil))
}

// head is the output matrix: the embedding when tied, or where an untied one
// was not stored (families.md §1.10).
func (m *mamba1Model) head(embedding *ir.Param) *ir.Param {
	const name = "lm_head.weight"
	if m.tied || !m.set.has(name) {
		m.set.ignore(name)
		return embedding
	}
	return m.set.shaped("rows and columns of "+embedding.Name, embedding.Shape, name)
}

// mixer reads the parameters of one mixer; sizes come from the shapes, and the
// config must agree.
func (m *mamba1Model) mixer(prefix string) *block.Mamba1 {
	s := m.set
	inProj, a := s.axes(2, prefix+"in_proj.weight"), s.axes(2, prefix+"A_log")
	conv, dtProj := s.axes(3, prefix+"conv1d.weight"), s.axes(2, prefix+"dt_proj.weight")
	p := &block.Mamba1{InProj: inProj, A: a, Conv: conv, DtProj: dtProj}
	if s.check() != nil {
		m.rest(p, prefix, m.inner, m.states, m.rank)
		return p
	}
	s.agree("intermediate_size", m.inner, inProj.Shape[0]/2, inProj.Name)
	s.agree("state_size", m.states, a.Shape[1], a.Name)
	s.agree("conv_kernel", m.taps, conv.Shape[2], conv.Name)
	s.agree("time_step_rank", m.rank, dtProj.Shape[1], dtProj.Name)
	a.Transform = ir.NegExp
	inner, from := m.inner, fmt.Sprintf("inner size %d", m.inner)
	s.shaped(from, tensor.Shape{2 * inner, m.hidden}, inProj.Name)
	s.shaped(from, tensor.Shape{inner, m.states}, a.Name)
	s.shaped(from, tensor.Shape{inner, 1, m.taps}, conv.Name)
	s.shaped(from, tensor.Shape{inner, m.rank}, dtProj.Name)
	m.rest(p, prefix, inner, m.states, m.rank)
	return p
}

// rest reads the parameters whose shapes follow from the others.
func (m *mamba1Model) rest(p *block.Mamba1, prefix string, inner, states, rank int) {
	s, from := m.set, fmt.Sprintf("inner size %d, state size %d, dt rank %d", inner, states, rank)
	p.XProj = s.shaped(from, tensor.Shape{rank + 2*states, inner}, prefix+"x_proj.weight")
	p.DtProjBias = s.shaped(from, tensor.Shape{inner}, prefix+"dt_proj.bias")
	p.D = s.shaped(from, tensor.Shape{inner}, prefix+"D")
	p.OutProj = s.shaped(from, tensor.Shape{m.hidden, inner}, prefix+"out_proj.weight")
	if m.convBias {
		p.ConvBias = s.shaped(from, tensor.Shape{inner}, prefix+"conv1d.bias")
	}
	if m.bias {
		p.InProjBias = s.shaped(from, tensor.Shape{2 * inner}, prefix+"in_proj.bias")
		p.OutProjBias = s.shaped(from, tensor.Shape{m.hidden}, prefix+"out_proj.bias")
	}
}

func (m *mamba1Model) facts() []Fact {
	return []Fact{{"layers", m.layers}, {"hidden size", m.hidden}, {"inner size", m.inner}, {"state size", m.states},
		{"conv kernel", m.taps}, {"dt rank", m.rank}, {"vocabulary size", m.vocab}, {"stored vocabulary rows", m.rows}}
}
