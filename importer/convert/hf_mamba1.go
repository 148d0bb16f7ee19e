package convert

func init() { registerWay("hf", "mamba1", hfMamba1) }

// hfMamba1Config is what MambaConfig of transformers reads (families.md §6).
type hfMamba1Config struct {
	Architectures    []string `json:"architectures"`
	BOS              *int32   `json:"bos_token_id"`
	ConvKernel       int      `json:"conv_kernel"`
	EOS              ids      `json:"eos_token_id"`
	Expand           float64  `json:"expand"`
	HiddenAct        string   `json:"hidden_act"`
	HiddenSize       int      `json:"hidden_size"`
	IntermediateSize int      `json:"intermediate_size"`
	Epsilon          float32  `json:"layer_norm_epsilon"`
	ModelType        string   `json:"model_type"`
	Layers           int      `json:"num_hidden_layers"`
	StateSize        int      `json:"state_size"`
	Tied             bool     `json:"tie_word_embeddings"`
	TimeStepRank     int      `json:"time_step_rank"`
	DType            string   `json:"torch_dtype"`
	UseBias          bool     `json:"use_bias"`
	UseConvBias      bool     `json:"use_conv_bias"`
	VocabSize        int      `json:"vocab_size"`
}

func hfMamba1(s *Source, dtype string) (*Conversion, error) {
	m := newMamba1(s)
	config, err := hfConfig(s, "mamba", dtype, m.hfConfig(s, dtype))
	if err != nil {
		return nil, err
	}
	return checkpointOf(s, config, "safetensors", m.tensors(s, dtype, hfEmbedding))
}

func (m *mamba1) hfConfig(s *Source, dtype string) *hfMamba1Config {
	mixer := m.first()
	return &hfMamba1Config{
		Architectures: []string{"MambaForCausalLM"}, ModelType: "mamba", HiddenAct: mixer.Activation,
		BOS: s.Model.BOS, EOS: s.Model.EOS,
		HiddenSize: m.hidden(), IntermediateSize: m.inner(), Expand: expand(m.inner(), m.hidden()), Layers: len(m.Layers),
		StateSize: m.states(), ConvKernel: m.taps(), TimeStepRank: m.rank(), Epsilon: m.Epsilon,
		UseBias: mixer.InProjBias != nil, UseConvBias: mixer.ConvBias != nil, Tied: m.Tied(),
		VocabSize: m.rows(), // transformers wants a row for every id and no more
		DType:     torchTypes[elementType(mixer.InProj, dtype).String()],
	}
}
