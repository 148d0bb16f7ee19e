package convert

import (
	"encoding/json"
	"fmt"
)

func init() {
	register(Target{
		Name: "hf", About: "a folder as Hugging Face has it: config.json, model.safetensors",
		Folder: true, DTypes: []string{"f32", "f16", "bf16"},
	})
}

// torchTypes is what torch calls the element types of matrices.
var torchTypes = map[string]string{"f32": "float32", "f16": "float16", "bf16": "bfloat16"}

// hfConfig is the config of a checkpoint that has the layout already, whose
// type is renamed, or a new one.
func hfConfig(s *Source, modelType, dtype string, made any) (any, error) {
	if s.Model.Family == modelType {
		return renamedType(s.Checkpoint.Config(), dtype)
	}
	return made, nil
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
