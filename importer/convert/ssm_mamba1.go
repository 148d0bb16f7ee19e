package convert

func init() { registerWay("ssm", "mamba1", ssmMamba1) }

// ssmMixer1 is the options of a Mamba-1 mixer.
type ssmMixer1 struct {
	DState   int     `json:"d_state"`
	DConv    int     `json:"d_conv"`
	Expand   float64 `json:"expand"`
	DtRank   int     `json:"dt_rank"`
	ConvBias bool    `json:"conv_bias"`
	Bias     bool    `json:"bias"`
}

func ssmMamba1(s *Source, dtype string) (*Conversion, error) {
	m := newMamba1(s)
	a := m.first().Activation
	if err := refuse(a != "silu", "ssm has silu behind the convolution, this model has %s (hidden_act)", a); err != nil {
		return nil, err
	}
	mixer := &ssmMixer1{
		DState: m.states(), DConv: m.taps(), Expand: expand(m.inner(), m.hidden()), DtRank: m.rank(),
		ConvBias: m.first().ConvBias != nil, Bias: m.first().InProjBias != nil,
	}
	return ssmLayout(s, &m.Ends, len(m.Layers), mixer, m.tensors(s, dtype, ssmEmbedding))
}
