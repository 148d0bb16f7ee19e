package convert

import (
	"math"
	"strconv"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// mamba1 is a model of Mamba-1 on its way into a checkpoint (families.md §5,
// §6): both layouts agree on all names but that of the embedding.
type mamba1 struct {
	*family.Mamba1
	source    *Source
	dtype     string
	embedding string // name of the matrix
	list      []container.Tensor
}

const headMatrix = "lm_head.weight"

// tied reports whether the head is the embedding.
func (m *mamba1) tied() bool { return m.Head == m.Embedding }

func (m *mamba1) hidden() int { return m.Embedding.Shape[1] }
func (m *mamba1) rows() int   { return m.Embedding.Shape[0] }
func (m *mamba1) inner() int  { return m.first().A.Shape[0] }
func (m *mamba1) states() int { return m.first().A.Shape[1] }
func (m *mamba1) taps() int   { return m.first().Conv.Shape[2] }
func (m *mamba1) rank() int   { return m.first().DtProj.Shape[1] }

// first is the mixer that sizes are read off: all are alike.
func (m *mamba1) first() *block.Mamba1 { return m.Layers[0].Mixer }

// expand is the ratio of the inner size to the hidden one. Readers multiply it
// by the hidden size and cut off what is behind the point.
func (m *mamba1) expand() float64 {
	inner, hidden := float64(m.inner()), float64(m.hidden())
	ratio := inner / hidden
	for int(ratio*hidden) < m.inner() {
		ratio = math.Nextafter(ratio, math.Inf(1))
	}
	return ratio
}

// tensors lists what the checkpoint holds in the order of use, as synth does.
func (m *mamba1) tensors() []container.Tensor {
	m.matrix(m.embedding, m.Embedding)
	if m.tied() { // behind its partner, on the same storage
		m.matrix(headMatrix, m.Head)
		m.list[len(m.list)-1].Tied = m.embedding
	}
	for i, l := range m.Layers {
		m.layer("backbone.layers."+strconv.Itoa(i)+".", l)
	}
	m.matrix("backbone.norm_f.weight", m.Norm)
	if !m.tied() {
		m.matrix(headMatrix, m.Head)
	}
	return m.list
}

func (m *mamba1) layer(prefix string, l family.Mamba1Layer) {
	mixer, x := prefix+"mixer.", l.Mixer
	m.matrix(prefix+"norm.weight", l.Norm)
	m.matrix(mixer+"in_proj.weight", x.InProj)
	m.matrix(mixer+"conv1d.weight", x.Conv)
	m.matrix(mixer+"x_proj.weight", x.XProj)
	m.matrix(mixer+"dt_proj.weight", x.DtProj)
	m.matrix(mixer+"dt_proj.bias", x.DtProjBias)
	m.add(mixer+"A_log", x.A, wideType(x.A, m.dtype))
	m.add(mixer+"D", x.D, wideType(x.D, m.dtype))
	m.matrix(mixer+"out_proj.weight", x.OutProj)
	m.matrix(mixer+"conv1d.bias", x.ConvBias)
	m.matrix(mixer+"in_proj.bias", x.InProjBias)
	m.matrix(mixer+"out_proj.bias", x.OutProjBias)
}

// matrix adds a parameter in the type of the checkpoint; one that the model
// does not have is nil.
func (m *mamba1) matrix(name string, p *ir.Param) {
	if p != nil {
		m.add(name, p, elementType(p, m.dtype))
	}
}

func (m *mamba1) add(name string, p *ir.Param, dtype tensor.DType) {
	values := &rounded{m.source.Checkpoint.Path, p, dtype == tensor.F16}
	m.list = append(m.list, container.Tensor{Name: name, DType: dtype, Shape: p.Shape, Source: values})
}
