// Package tokenizer turns a tokenizer.json of Hugging Face's tokenizers into
// the table that built programs map; it sees runtime/tokenizer, which defines
// the table. Anything in the file that it cannot honour exactly is an error.
package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	_ "github.com/mambac/mambac/runtime/regex" // tells which expressions it takes
	"github.com/mambac/mambac/runtime/tokenizer"
)

// maxFile bounds a tokenizer.json in bytes; the largest known have 40 MB.
const maxFile = 1 << 27

// file is a tokenizer.json. Truncation and padding are for training, and
// programs that take a text decide about its length themselves.
type file struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

// Parse reads a tokenizer.json. Its errors name the part of the file.
func Parse(data []byte) (*tokenizer.Table, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(data), maxFile)
	}
	var f file
	if err := decode(data, &f); err != nil {
		return nil, err
	}
	if f.Version == "" {
		return nil, errors.New("version is missing, want \"1.0\"")
	}
	if f.Version != "1.0" {
		return nil, fmt.Errorf("version is %q, want \"1.0\"", f.Version)
	}
	t, model, err := f.table()
	if err != nil {
		return nil, err
	}
	if err := f.addTokens(t, model); err != nil {
		return nil, err
	}
	return t, t.Check()
}

// table resolves every part but the added tokens, which are left to the
// vocabulary that it returns.
func (f *file) table() (*tokenizer.Table, *vocabulary, error) {
	t := new(tokenizer.Table)
	var err error
	if t.Normalizers, err = normalizers.steps(f.Normalizer, "normalizers"); err != nil {
		return nil, nil, fmt.Errorf("normalizer: %w", err)
	}
	if t.PreTokenizers, err = preTokenizerSteps(f.PreTokenizer); err != nil {
		return nil, nil, fmt.Errorf("pre_tokenizer: %w", err)
	}
	decoders, err := parseDecoders(f.Decoder)
	if err != nil {
		return nil, nil, fmt.Errorf("decoder: %w", err)
	}
	t.Decoders = decoders.steps
	model, err := parseModel(f.Model)
	if err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	v := &vocabulary{ids: model.contents(), text: decoders.text}
	v.limit = f.limit(len(v.ids))
	if err = v.fill(t); err == nil {
		err = model.fill(t, v)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	if t.Prefix, t.Suffix, err = template(f.PostProcessor); err != nil {
		return nil, nil, fmt.Errorf("post_processor: %w", err)
	}
	return t, v, nil
}

// limit returns what ids must be below: gaps are allowed, but a small file
// must not ask for a large table.
func (f *file) limit(contents int) int32 {
	const gaps = 1 << 16
	return int32(min(2*(contents+len(f.AddedTokens))+gaps, tokenizer.MaxSize))
}

// vocabulary is the tokens of a model.
type vocabulary struct {
	ids   map[string]int32
	text  func(content string) ([]byte, error) // what decoders see of a token
	limit int32                                // all ids are below it
}

// fill sets the tokens of the table.
func (v *vocabulary) fill(t *tokenizer.Table) error {
	size := 0
	for content, id := range v.ids {
		if id < 0 || id >= v.limit {
			return fmt.Errorf("vocab: token %q has id %d, want below %d", content, id, v.limit)
		}
		size = max(size, int(id)+1)
	}
	t.Tokens = make([]tokenizer.Token, size)
	for content, id := range v.ids {
		if t.Tokens[id].Known {
			return fmt.Errorf("vocab: two tokens have the id %d", id)
		}
		text, err := v.text(content)
		if err != nil {
			return fmt.Errorf("vocab: token %q: %w", content, err)
		}
		t.Tokens[id] = tokenizer.Token{Known: true, Bytes: text}
	}
	return nil
}

// model is a kind of model as the file states it.
type model interface {
	// contents returns the id of every token that can be looked up.
	contents() map[string]int32
	// fill sets what the table holds of the model, for texts that
	// pre-tokenizers of the table have split.
	fill(t *tokenizer.Table, v *vocabulary) error
}

var models = parsers[model]{"BPE": parseBPE, "Unigram": parseUnigram}

func parseModel(part json.RawMessage) (model, error) {
	if absent(part) {
		return nil, errors.New("is missing: want an object with type and vocab")
	}
	name, err := typeOf(part)
	if err != nil {
		return nil, err
	}
	if name == "" { // files older than the key
		name = "BPE"
	}
	parse := models[name]
	if parse == nil {
		return nil, unknown(name, slices.Collect(maps.Keys(models))...)
	}
	return parse(part)
}

// decode reads JSON into a struct that has a field for everything in it.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("not the JSON of a tokenizer that mambac knows: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows the JSON")
	}
	return nil
}

// absent tells a part that the file does not have, or has as null.
func absent(part json.RawMessage) bool {
	return len(part) == 0 || string(part) == "null"
}

// typeOf returns the type that a step names, "" if it names none.
func typeOf(part json.RawMessage) (string, error) {
	var step struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(part, &step); err != nil {
		return "", fmt.Errorf("want an object with a type: %w", err)
	}
	return step.Type, nil
}

// maxDepth bounds sequences within sequences.
const maxDepth = 8

// flatten returns the steps of a part of the file: none if it is absent, those
// of the list if it is a Sequence, else itself.
func flatten(part json.RawMessage, list string, depth int) ([]json.RawMessage, error) {
	if absent(part) {
		return nil, nil
	}
	name, err := typeOf(part)
	if err != nil || name != "Sequence" {
		return []json.RawMessage{part}, err
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("sequences more than %d deep", maxDepth)
	}
	var sequence map[string]json.RawMessage
	if err := json.Unmarshal(part, &sequence); err != nil {
		return nil, err
	}
	if len(sequence) != 2 || absent(sequence[list]) {
		return nil, fmt.Errorf("a Sequence has type and %s, nothing else", list)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(sequence[list], &parts); err != nil {
		return nil, fmt.Errorf("%s: %w", list, err)
	}
	var steps []json.RawMessage
	for _, p := range parts {
		inner, err := flatten(p, list, depth+1)
		if err != nil {
			return nil, err
		}
		steps = append(steps, inner...)
	}
	return steps, nil
}

// unknown is the error for a step of a type that mambac does not have.
func unknown(name string, known ...string) error {
	slices.Sort(known)
	return fmt.Errorf("type %q is not supported; mambac knows %q", name, known)
}
