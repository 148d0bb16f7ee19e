package convert

import (
	"fmt"
	"strconv"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/importer/family"
)

func init() { registerWay("gguf", "mamba1", ggufMamba1) }

// ggufMamba1 is llama.cpp's architecture mamba. Norms, convolution, the bias
// of Δ, A and D are float32; what A_log stands for is stored, not its logarithm.
func ggufMamba1(s *Source, dtype string) (*Conversion, error) {
	m := newMamba1(s)
	if err := m.refuseGGUF(); err != nil {
		return nil, err
	}
	g := &ggufModel{source: s, dtype: dtype}
	g.begin("mamba", g.chosen(m.first().InProj))
	g.mixers("mamba", m, len(m.Layers), m.rank())
	g.pair("mamba.attention.layer_norm_rms_epsilon", m.Epsilon)
	g.pair("mamba.ssm.dt_b_c_rms", false)
	if err := g.tokenizer(m.rows()); err != nil {
		return nil, err
	}
	g.ends(&m.Ends)
	for i, l := range m.Layers {
		m.ggufLayer(g, "blk."+strconv.Itoa(i)+".", l)
	}
	return g.conversion()
}

// refuseGGUF tells what llama.cpp's mamba has no place for.
func (m *mamba1) refuseGGUF() error {
	if m.inner() != 2*m.hidden() {
		return fmt.Errorf("gguf wants an inner size of twice the hidden one, have %d and %d", m.inner(), m.hidden())
	}
	return firstError(
		refuseBiases(m.first().InProjBias, m.first().OutProjBias),
		refuse(m.first().Activation != "silu", "gguf has silu behind the convolution, this model has %s (hidden_act)", m.first().Activation),
	)
}

func (m *mamba1) ggufLayer(g *ggufModel, prefix string, l family.MixerLayer[*block.Mamba1]) {
	x, inner := l.Mixer, m.inner()
	g.small(prefix+"attn_norm.weight", l.Norm, m.hidden())
	g.matrix(prefix+"ssm_in.weight", x.InProj)
	g.small(prefix+"ssm_conv1d.weight", x.Conv, inner, m.taps())
	g.small(prefix+"ssm_conv1d.bias", x.ConvBias, inner) // wanted; zeros do no harm
	g.matrix(prefix+"ssm_x.weight", x.XProj)
	g.narrow(prefix+"ssm_dt.weight", x.DtProj)
	g.small(prefix+"ssm_dt.bias", x.DtProjBias, inner)
	g.small(prefix+"ssm_a", x.A, inner, m.states())
	g.small(prefix+"ssm_d", x.D, inner)
	g.matrix(prefix+"ssm_out.weight", x.OutProj)
}
