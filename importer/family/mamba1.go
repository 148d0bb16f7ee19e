package family

import (
	"fmt"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// mamba1Config is what the config of either layout says about Mamba-1
// (families.md §5, §6).
type mamba1Config struct {
	vocab, hidden, layers, inner, states, taps, rank size
	eps                                              float32
	bias, convBias, tied                             bool
}

// mamba1 imports what both layouts share.
type mamba1 struct {
	*mamba1Config
	set       *Set
	embedding string // name of the matrix
	rows      size   // vocabulary rows stored
}

const (
	layersPrefix = "backbone.layers."
	finalNorm    = "backbone.norm_f.weight"
	headMatrix   = "lm_head.weight"
)

// names lists what every layer stores.
func (m *mamba1) names() []string {
	list := []string{"norm.weight", "mixer.in_proj.weight", "mixer.conv1d.weight", "mixer.x_proj.weight", "mixer.dt_proj.weight",
		"mixer.dt_proj.bias", "mixer.A_log", "mixer.D", "mixer.out_proj.weight"}
	if m.convBias {
		list = append(list, "mixer.conv1d.bias")
	}
	if m.bias {
		list = append(list, "mixer.in_proj.bias", "mixer.out_proj.bias")
	}
	return list
}

// prepare proves that nothing is missing and learns the sizes that the config
// does not give.
func (m *mamba1) prepare() error {
	s := m.set
	stored := s.layers(layersPrefix)
	if m.layers.n == 0 && len(stored) > 0 {
		m.layers.n, m.layers.from = stored[len(stored)-1]+1, "the tensors' names"
	}
	if m.layers.n == 0 {
		return fmt.Errorf("no tensor is called %s0 or the like: there are no layers", layersPrefix)
	}
	s.require(m.embedding)
	s.requireLayers(layersPrefix, m.layers.n, m.names())
	s.require(finalNorm)
	if err := s.check(); err != nil {
		return m.hint(err, len(stored))
	}
	mixer := layersPrefix + "0.mixer."
	s.learn(&m.rows, m.embedding, 0)
	s.learn(&m.hidden, m.embedding, 1)
	s.learn(&m.inner, mixer+"A_log", 0)
	s.learn(&m.states, mixer+"A_log", 1)
	s.learn(&m.taps, mixer+"conv1d.weight", 2)
	s.learn(&m.rank, mixer+"dt_proj.weight", 1)
	return s.check()
}

// hint adds to an error about missing or surplus tensors that the number of
// layers may be the reason.
func (m *mamba1) hint(err error, stored int) error {
	if err == nil || m.layers.n == stored {
		return err
	}
	return fmt.Errorf("%w; %v, but the tensors have %d; is config.json from this checkpoint?", err, m.layers, stored)
}

// architecture proves that the tensors are those of the model, and no others.
func (m *mamba1) architecture() (*Mamba1, error) {
	s, hidden := m.set, m.hidden.times(1)
	a := &Mamba1{Embedding: s.shaped(m.embedding, m.rows.times(1), hidden), Epsilon: m.eps}
	a.Head = m.head(a.Embedding)
	a.Norm = s.shaped(finalNorm, hidden)
	for i := range m.layers.n {
		prefix := fmt.Sprintf("%s%d.", layersPrefix, i)
		layer := Mamba1Layer{s.shaped(prefix+"norm.weight", hidden), m.mixer(prefix + "mixer.")}
		if err := s.check(); err != nil {
			return nil, err
		}
		a.Layers = append(a.Layers, layer)
	}
	if err := s.finish(); err != nil {
		return nil, m.hint(err, len(s.layers(layersPrefix)))
	}
	return a, nil
}

// module is the computation of the model.
func (a *Mamba1) module() (*ir.Module, error) {
	b := build.New("mamba")
	b.Region("embed")
	x := b.Embed(b.Input(), a.Embedding)
	for i, l := range a.Layers {
		name := fmt.Sprintf("layers.%d", i)
		b.Region(name)
		x = b.Add(x, l.Mixer.Append(b, b.RMSNorm(x, l.Norm, a.Epsilon), name))
	}
	b.Region("head")
	return b.Finish(b.Linear(b.RMSNorm(x, a.Norm, a.Epsilon), a.Head, nil))
}

// head is the output matrix: the embedding when tied, or where an untied one
// was not stored (families.md §1.10).
func (m *mamba1) head(embedding *ir.Param) *ir.Param {
	if m.tied || !m.set.has(headMatrix) {
		m.set.ignore(headMatrix)
		return embedding
	}
	return m.set.shaped(headMatrix, m.rows.times(1), m.hidden.times(1))
}

// mixer is the parameters of one mixer (families.md §2).
func (m *mamba1) mixer(prefix string) *block.Mamba1 {
	tensor := func(name string, axes ...axis) *ir.Param { return m.set.shaped(prefix+name, axes...) }
	inner, hidden, rank, states := m.inner.times(1), m.hidden.times(1), m.rank.times(1), m.states.times(1)
	p := &block.Mamba1{
		InProj:     tensor("in_proj.weight", m.inner.times(2), hidden),
		Conv:       tensor("conv1d.weight", inner, axis{n: 1}, m.taps.times(1)),
		XProj:      tensor("x_proj.weight", axis{m.rank.n + 2*m.states.n, []size{m.rank, m.states}}, inner),
		DtProj:     tensor("dt_proj.weight", inner, rank),
		DtProjBias: tensor("dt_proj.bias", inner),
		A:          tensor("A_log", inner, states),
		D:          tensor("D", inner),
		OutProj:    tensor("out_proj.weight", hidden, inner),
	}
	p.A.Transform = ir.NegExp
	if m.convBias {
		p.ConvBias = tensor("conv1d.bias", inner)
	}
	if m.bias {
		p.InProjBias, p.OutProjBias = tensor("in_proj.bias", m.inner.times(2)), tensor("out_proj.bias", hidden)
	}
	return p
}

// result is the model with what the config says about tokens.
func (m *mamba1) result(c Keys) (*Result, error) {
	a, err := m.architecture()
	if err != nil {
		return nil, err
	}
	module, err := a.module()
	if err != nil {
		return nil, err
	}
	r := &Result{Module: module, Architecture: a, VocabSize: m.vocab.n, Facts: m.facts()}
	if r.VocabSize == 0 {
		r.VocabSize = m.rows.n
	}
	eos, err := c.IDs("eos_token_id")
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	r.EOS = eos
	bos, err := c.IDs("bos_token_id")
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	if len(bos) == 1 {
		r.BOS = &bos[0]
	}
	return r, nil
}

func (m *mamba1) facts() []Fact {
	return []Fact{{"layers", m.layers.n}, {"hidden size", m.hidden.n}, {"inner size", m.inner.n}, {"state size", m.states.n},
		{"conv kernel", m.taps.n}, {"dt rank", m.rank.n}, {"vocabulary size", m.vocab.n}, {"stored vocabulary rows", m.rows.n}}
}
