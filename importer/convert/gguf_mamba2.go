package convert

import (
	"strconv"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/importer/family"
)

func init() { registerWay("gguf", "mamba2", ggufMamba2) }

// ggufMamba2 is llama.cpp's architecture mamba2. What is small is float32, and
// what A_log stands for is stored, not its logarithm. Rows of in_proj and
// channels are in the order of checkpoints.
func ggufMamba2(s *Source, dtype string) (*Conversion, error) {
	m := newMamba2(s)
	if err := m.refuseGGUF(); err != nil {
		return nil, err
	}
	g := &ggufModel{source: s, dtype: dtype}
	g.begin("mamba2", g.chosen(m.first().InProj))
	g.mixers("mamba2", m, len(m.Layers), m.heads()) // heads are its rank of time steps
	g.size("mamba2.ssm.group_count", m.groups())
	g.pair("mamba2.attention.layer_norm_rms_epsilon", m.Epsilon)
	if err := g.tokenizer(m.rows()); err != nil {
		return nil, err
	}
	g.ends(&m.Ends)
	for i, l := range m.Layers {
		m.ggufLayer(g, "blk."+strconv.Itoa(i)+".", l)
	}
	return g.conversion()
}

// refuseGGUF tells what llama.cpp's mamba2 has no place for.
func (m *mamba2) refuseGGUF() error {
	mixer := m.first()
	return firstError(
		m.plain("gguf"),
		refuseBiases(mixer.InProjBias, mixer.OutProjBias),
		refuse(mixer.Activation != "silu", "gguf has silu behind the convolution, this model has %s (hidden_act)", mixer.Activation),
		refuse(mixer.Low > 0 || mixer.High > 0, "gguf has no place for bounds of the time step (%s)", m.key("time_step_limit", "dt_limit")),
		refuse(m.wholeNorm(),
			"llama.cpp norms each of %d groups by itself, this model norms all of them together; gguf can hold n_groups 1 only", m.groups()),
	)
}

func (m *mamba2) ggufLayer(g *ggufModel, prefix string, l family.MixerLayer[*block.Mamba2]) {
	x := l.Mixer
	g.small(prefix+"attn_norm.weight", l.Norm, m.hidden())
	g.matrix(prefix+"ssm_in.weight", x.InProj)
	g.small(prefix+"ssm_conv1d.weight", x.Conv, m.channels(), m.taps())
	g.small(prefix+"ssm_conv1d.bias", x.ConvBias, m.channels()) // wanted; zeros do no harm
	g.small(prefix+"ssm_dt.bias", x.DtBias, m.heads())
	g.small(prefix+"ssm_a", x.A, m.heads(), 1)
	g.small(prefix+"ssm_d", x.D, m.heads(), 1)
	g.small(prefix+"ssm_norm.weight", x.Norm, m.groups(), m.inner()/m.groups())
	g.matrix(prefix+"ssm_out.weight", x.OutProj)
}
