package convert

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/importer/family"
)

// mamba1 is a model of Mamba-1 on its way into a file (families.md §2, §5, §6).
type mamba1 struct{ *family.Mamba1 }

func newMamba1(s *Source) *mamba1 { return &mamba1{s.Model.Architecture.(*family.Mamba1)} }

func (m *mamba1) hidden() int { return m.Embedding.Shape[1] }
func (m *mamba1) rows() int   { return m.Embedding.Shape[0] }
func (m *mamba1) inner() int  { return m.first().A.Shape[0] }
func (m *mamba1) states() int { return m.first().A.Shape[1] }
func (m *mamba1) taps() int   { return m.first().Conv.Shape[2] }
func (m *mamba1) rank() int   { return m.first().DtProj.Shape[1] }

// first is the mixer that sizes are read off: all are alike.
func (m *mamba1) first() *block.Mamba1 { return m.Layers[0].Mixer }

// tensors lists what a checkpoint of either layout holds.
func (m *mamba1) tensors(s *Source, dtype, embedding string) []container.Tensor {
	c := &backbone{source: s, dtype: dtype}
	return c.tensors(&m.Ends, embedding, len(m.Layers), func(i int, prefix string) { m.layer(c, prefix, m.Layers[i]) })
}

func (m *mamba1) layer(c *backbone, prefix string, l family.MixerLayer[*block.Mamba1]) {
	mixer, x := prefix+"mixer.", l.Mixer
	c.matrix(prefix+"norm.weight", l.Norm)
	c.matrix(mixer+"in_proj.weight", x.InProj)
	c.matrix(mixer+"conv1d.weight", x.Conv)
	c.matrix(mixer+"x_proj.weight", x.XProj)
	c.matrix(mixer+"dt_proj.weight", x.DtProj)
	c.matrix(mixer+"dt_proj.bias", x.DtProjBias)
	c.wide(mixer+"A_log", x.A)
	c.wide(mixer+"D", x.D)
	c.matrix(mixer+"out_proj.weight", x.OutProj)
	c.matrix(mixer+"conv1d.bias", x.ConvBias)
	c.matrix(mixer+"in_proj.bias", x.InProjBias)
	c.matrix(mixer+"out_proj.bias", x.OutProjBias)
}
