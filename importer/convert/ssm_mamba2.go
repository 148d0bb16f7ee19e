package convert

func init() { registerWay("ssm", "mamba2", ssmMamba2) }

// ssmMixer2 is the options of a Mamba-2 mixer (families.md §5.1), of which
// those that are left out have their defaults.
type ssmMixer2 struct {
	Layer    string  `json:"layer"`
	DState   int     `json:"d_state"`
	DConv    int     `json:"d_conv"`
	Expand   float64 `json:"expand"`
	HeadDim  int     `json:"headdim"`
	Groups   int     `json:"ngroups"`
	Limits   limits  `json:"dt_limit,omitempty"`
	ConvBias bool    `json:"conv_bias"`
	Bias     bool    `json:"bias"`
}

func ssmMamba2(s *Source, dtype string) (*Conversion, error) {
	m := newMamba2(s)
	if err := m.refuseSSM(); err != nil {
		return nil, err
	}
	mixer := &ssmMixer2{
		Layer: "Mamba2", DState: m.states(), DConv: m.taps(), Expand: expand(m.inner(), m.hidden()),
		HeadDim: m.inner() / m.heads(), Groups: m.groups(), Limits: m.limits(),
		ConvBias: m.first().ConvBias != nil, Bias: m.first().InProjBias != nil,
	}
	return ssmLayout(s, &m.Ends, len(m.Layers), mixer, m.tensors(s, dtype, ssmEmbedding))
}

// refuseSSM tells what the Mamba2 of state-spaces has no place for.
func (m *mamba2) refuseSSM() error {
	mixer := m.first()
	return firstError(
		refuse(mixer.Activation != "silu", "ssm has silu behind the convolution, this model has %s (hidden_act)", mixer.Activation),
		refuse(m.wholeNorm(), "state-spaces norms each of %d groups by itself, this model norms all of them together; ssm can hold n_groups 1 only", m.groups()),
	)
}
