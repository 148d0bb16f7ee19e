package convert

import (
	"encoding/json"
	"fmt"

	"github.com/mambac/mambac/importer/family"
)

func init() {
	register(Target{
		Name: "hf", About: "a folder as Hugging Face has it: config.json, model.safetensors",
		Folder: true, DTypes: []string{"f32", "f16", "bf16"},
	})
	registerWay("hf", "mamba1", hfMamba1)
}

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

// torchTypes is what torch calls the element types of matrices.
var torchTypes = map[string]string{"f32": "float32", "f16": "float16", "bf16": "bfloat16"}

func hfMamba1(s *Source, dtype string) (*Conversion, error) {
	m := &mamba1{Mamba1: s.Model.Architecture.(*family.Mamba1), source: s, dtype: dtype, embedding: "backbone.embeddings.weight"}
	config, err := m.hfConfig()
	if err != nil {
		return nil, err
	}
	return checkpointOf(s, config, "safetensors", m.tensors())
}

// hfConfig is the config of a checkpoint that has the layout already, or a new
// one.
func (m *mamba1) hfConfig() (any, error) {
	if m.source.Model.Family == "mamba" {
		return renamedType(m.source.Checkpoint.Config(), m.dtype)
	}
	mixer := m.first()
	return &hfMamba1Config{
		Architectures: []string{"MambaForCausalLM"}, ModelType: "mamba", HiddenAct: "silu",
		BOS: m.source.Model.BOS, EOS: m.source.Model.EOS,
		HiddenSize: m.hidden(), IntermediateSize: m.inner(), Expand: m.expand(), Layers: len(m.Layers),
		StateSize: m.states(), ConvKernel: m.taps(), TimeStepRank: m.rank(), Epsilon: m.Epsilon,
		UseBias: mixer.InProjBias != nil, UseConvBias: mixer.ConvBias != nil, Tied: m.tied(),
		VocabSize: m.rows(), // transformers wants a row for every id and no more
		DType:     torchTypes[elementType(mixer.InProj, m.dtype).String()],
	}, nil
}

// renamedType is a config.json that says of which type the weights are now.
func renamedType(config []byte, dtype string) (any, error) {
	if dtype == "" {
		return config, nil
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(config, &keys); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	name := "torch_dtype"
	if _, ok := keys["dtype"]; ok { // since transformers 5
		name = "dtype"
	}
	keys[name] = json.RawMessage(`"` + torchTypes[dtype] + `"`)
	return keys, nil
}
