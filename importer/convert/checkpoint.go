package convert

import (
	"encoding/json"

	"github.com/mambac/mambac/importer/container"
)

// small are the files beside the weights that belong to a model and say
// nothing about its layout: they are copied as they are.
var small = []string{
	"generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
	"added_tokens.json", "vocab.json",
}

// checkpointOf makes a folder of config, weights in one container, and the
// small files.
func checkpointOf(s *Source, config any, format string, tensors []container.Tensor) (*Conversion, error) {
	head, err := configText(config)
	if err != nil {
		return nil, err
	}
	c := &Conversion{Bytes: int64(len(head)), parts: []part{text("config.json", head)}}
	for _, name := range small {
		content, err := s.smallFile(name)
		if err != nil {
			return nil, err
		}
		if content != nil {
			c.Bytes += int64(len(content))
			c.parts = append(c.parts, text(name, content))
		}
	}
	for _, t := range tensors {
		if t.Tied == "" {
			c.Tensors++
			c.Bytes += t.Bytes()
		}
	}
	c.parts = append(c.parts, func(create container.Create) error { return container.Write(format, tensors, 0, create) })
	return c, nil
}

// configText is a config.json: one that is kept, or an object.
func configText(config any) ([]byte, error) {
	if kept, ok := config.([]byte); ok {
		return kept, nil
	}
	head, err := json.MarshalIndent(config, "", "  ")
	return append(head, '\n'), err
}

// smallFile is a file beside the weights, nil if there is none. End tokens that
// only config.json tells get a generation_config.json, as not every layout has
// a place for them.
func (s *Source) smallFile(name string) ([]byte, error) {
	content, ok, err := s.Checkpoint.File(name)
	if err != nil || ok || name != "generation_config.json" || len(s.Model.EOS) == 0 {
		return content, err
	}
	return configText(&generationConfig{s.Model.BOS, s.Model.EOS})
}

type generationConfig struct {
	BOS *int32 `json:"bos_token_id,omitempty"`
	EOS ids    `json:"eos_token_id"`
}

// ids is a list of tokens, in JSON a single one as a number.
type ids []int32

// MarshalJSON implements json.Marshaler.
func (list ids) MarshalJSON() ([]byte, error) {
	if len(list) == 1 {
		return json.Marshal(list[0])
	}
	return json.Marshal([]int32(list))
}
