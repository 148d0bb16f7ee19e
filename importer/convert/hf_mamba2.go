package convert

func init() { registerWay("hf", "mamba2", hfMamba2) }

// hfMamba2Config is what Mamba2Config of transformers reads (families.md §7).
type hfMamba2Config struct {
	Architectures []string `json:"architectures"`
	BOS           *int32   `json:"bos_token_id"`
	ConvKernel    int      `json:"conv_kernel"`
	EOS           ids      `json:"eos_token_id"`
	Expand        float64  `json:"expand"`
	HeadDim       int      `json:"head_dim"`
	HiddenAct     string   `json:"hidden_act"`
	HiddenSize    int      `json:"hidden_size"`
	Epsilon       float32  `json:"layer_norm_epsilon"`
	ModelType     string   `json:"model_type"`
	Groups        int      `json:"n_groups"`
	Heads         int      `json:"num_heads"`
	Layers        int      `json:"num_hidden_layers"`
	StateSize     int      `json:"state_size"`
	Tied          bool     `json:"tie_word_embeddings"`
	Limits        limits   `json:"time_step_limit,omitempty"`
	DType         string   `json:"torch_dtype"`
	UseBias       bool     `json:"use_bias"`
	UseConvBias   bool     `json:"use_conv_bias"`
	VocabSize     int      `json:"vocab_size"`
}

func hfMamba2(s *Source, dtype string) (*Conversion, error) {
	m := newMamba2(s)
	if err := m.refuseHF(); err != nil {
		return nil, err
	}
	config, err := hfConfig(s, "mamba2", dtype, m.hfConfig(s, dtype))
	if err != nil {
		return nil, err
	}
	return checkpointOf(s, config, "safetensors", m.tensors(s, dtype, hfEmbedding))
}

// refuseHF tells what transformers' Mamba2 has no place for.
func (m *mamba2) refuseHF() error {
	return firstError(
		m.plain("hf"),
		refuse(m.first().Gate.Group > 0, "transformers norms all of %d groups together, this model each by itself; hf can hold ssm_cfg.ngroups 1 only", m.groups()),
	)
}

func (m *mamba2) hfConfig(s *Source, dtype string) *hfMamba2Config {
	mixer := m.first()
	return &hfMamba2Config{
		Architectures: []string{"Mamba2ForCausalLM"}, ModelType: "mamba2", HiddenAct: mixer.Activation,
		BOS: s.Model.BOS, EOS: s.Model.EOS,
		HiddenSize: m.hidden(), Expand: expand(m.inner(), m.hidden()), Layers: len(m.Layers),
		Heads: m.heads(), HeadDim: m.inner() / m.heads(), Groups: m.groups(), StateSize: m.states(), ConvKernel: m.taps(),
		Epsilon: m.Epsilon, Limits: m.limits(),
		UseBias: mixer.InProjBias != nil, UseConvBias: mixer.ConvBias != nil, Tied: m.Tied(),
		VocabSize: m.rows(), // transformers wants a row for every id and no more
		DType:     torchTypes[elementType(mixer.InProj, dtype).String()],
	}
}
