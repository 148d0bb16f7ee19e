package convert

import (
	"encoding/json"
	"strconv"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/importer/family"
)

// mamba2 is a model of Mamba-2 on its way into a file (families.md §3, §5.1,
// §7).
type mamba2 struct {
	*family.Mamba2
	stateSpaces bool // the layout that it came in, for errors
}

func newMamba2(s *Source) *mamba2 {
	return &mamba2{s.Model.Architecture.(*family.Mamba2), s.Model.Family == "state-spaces"}
}

func (m *mamba2) hidden() int   { return m.Embedding.Shape[1] }
func (m *mamba2) rows() int     { return m.Embedding.Shape[0] }
func (m *mamba2) inner() int    { return m.first().OutProj.Shape[1] }
func (m *mamba2) heads() int    { return m.first().A.Shape[0] }
func (m *mamba2) groups() int   { return m.first().Groups }
func (m *mamba2) channels() int { return m.first().Conv.Shape[0] }
func (m *mamba2) taps() int     { return m.first().Conv.Shape[2] }
func (m *mamba2) states() int   { return (m.channels() - m.inner()) / (2 * m.groups()) }

// first is the mixer that sizes are read off: all are alike.
func (m *mamba2) first() *block.Mamba2 { return m.Layers[0].Mixer }

// wholeNorm reports whether there are groups that are normed together, as only
// transformers has it.
func (m *mamba2) wholeNorm() bool {
	g := m.first()
	return g.Groups > 1 && g.Norm != nil && g.Gate.Group == 0
}

// key is a key of the config: its name in either layout.
func (m *mamba2) key(hf, ssm string) string {
	if m.stateSpaces {
		return "ssm_cfg." + ssm
	}
	return hf
}

// plain refuses what only the state-spaces layout has (families.md §5.1).
func (m *mamba2) plain(target string) error {
	mixer, rows := m.first(), m.inner()+m.channels()+m.heads()
	return firstError(
		refuse(mixer.InProj.Shape[0] != rows, "%s has no place for an MLP beside the scan (ssm_cfg.d_ssm)", target),
		refuse(mixer.D.Shape[0] != m.heads(), "%s has a D for each head, this model one for each element (ssm_cfg.D_has_hdim)", target),
		refuse(mixer.Norm == nil, "%s wants a norm behind the scan, this model has none (ssm_cfg.rmsnorm)", target),
		refuse(mixer.Gate.NormFirst, "%s has the gate before the norm, this model behind it (ssm_cfg.norm_before_gate)", target),
	)
}

// tensors lists what a checkpoint of either layout holds.
func (m *mamba2) tensors(s *Source, dtype, embedding string) []container.Tensor {
	c := &backbone{source: s, dtype: dtype}
	return c.tensors(&m.Ends, embedding, len(m.Layers), func(i int, prefix string) { m.layer(c, prefix, m.Layers[i]) })
}

func (m *mamba2) layer(c *backbone, prefix string, l family.MixerLayer[*block.Mamba2]) {
	mixer, x := prefix+"mixer.", l.Mixer
	c.matrix(prefix+"norm.weight", l.Norm)
	c.matrix(mixer+"in_proj.weight", x.InProj)
	c.matrix(mixer+"in_proj.bias", x.InProjBias)
	c.matrix(mixer+"conv1d.weight", x.Conv)
	c.matrix(mixer+"conv1d.bias", x.ConvBias)
	c.wide(mixer+"dt_bias", x.DtBias)
	c.wide(mixer+"A_log", x.A)
	c.wide(mixer+"D", x.D)
	c.matrix(mixer+"norm.weight", x.Norm)
	c.matrix(mixer+"out_proj.weight", x.OutProj)
	c.matrix(mixer+"out_proj.bias", x.OutProjBias)
}

// limits are the bounds of the time step; nil where there are none.
type limits []json.RawMessage

// endless is infinity as a number of JSON that both originals read as such,
// where the word Infinity is no JSON.
const endless = "1e999"

func (m *mamba2) limits() limits {
	low, high := m.first().Low, m.first().High
	if low == 0 && high == 0 {
		return nil
	}
	list := limits{json.RawMessage(strconv.FormatFloat(float64(low), 'g', -1, 32)), json.RawMessage(endless)}
	if high != 0 {
		list[1] = json.RawMessage(strconv.FormatFloat(float64(high), 'g', -1, 32))
	}
	return list
}
