// Package importer turns an opened checkpoint into a module and a tokenizer
// table; it detects the family and proves that every tensor was used. It sees
// ir and the file formats, never codegen.
package importer

import (
	"fmt"

	"github.com/mambac/mambac/importer/checkpoint"
	"github.com/mambac/mambac/importer/family"
	importtokenizer "github.com/mambac/mambac/importer/tokenizer"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// Model is an imported checkpoint. Its parameters read from the checkpoint's
// files, which must stay open.
type Model struct {
	Family string // registered name: mamba, state-spaces
	Module *ir.Module
	// Architecture is the module's parameters by their places in the network.
	Architecture family.Architecture
	VocabSize    int     // of the config; the module's vocabulary is all stored rows
	EOS          []int32 // end tokens, of generation_config.json or else config.json
	BOS          *int32
	Facts        []family.Fact    // sizes worth showing, in order
	Longest      family.Longest   // bound of a text
	Choices      []family.Choice  // what no config says and was chosen for the model
	Tokenizer    *tokenizer.Table // nil without tokenizer.json
	// SentencePiece: in place of a tokenizer.json there is a tokenizer.model,
	// which mambac does not read.
	SentencePiece bool
	Chat          Chat
}

// Families lists what Import knows.
func Families() []string { return family.Names() }

// Options is what configs do not say: values of family.Options by their names.
// Those that are missing are the first of their option.
type Options map[string]string

// Import builds the module of a checkpoint. Errors are one line, begin with
// the checkpoint's path, and name the tensor or key at fault. An option that
// does not concern the model is an error too.
func Import(c *checkpoint.Checkpoint, o Options) (*Model, error) {
	m, err := importModule(c, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	if err := m.generation(c); err != nil {
		return nil, err
	}
	if err := m.tokenizer(c); err != nil {
		return nil, err
	}
	if err := m.chat(c); err != nil {
		return nil, err
	}
	return m, nil
}

func importModule(c *checkpoint.Checkpoint, o Options) (*Model, error) {
	choices, err := family.NewChoices(o)
	if err != nil {
		return nil, err
	}
	keys, err := family.ParseKeys(c.Config())
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	f, err := family.Detect(keys)
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	r, err := f.Import(keys, family.NewSet(tensors{c}), choices)
	if err != nil {
		return nil, err
	}
	if err := choices.Unused(); err != nil {
		return nil, err
	}
	return &Model{Family: f.Name, Module: r.Module, Architecture: r.Architecture, VocabSize: r.VocabSize, EOS: r.EOS, BOS: r.BOS,
		Facts: r.Facts, Longest: r.Longest, Choices: choices.Taken()}, nil
}

// generation takes the end tokens of generation_config.json, a number or a
// list, if it has any, and the first token, if config.json has none.
func (m *Model) generation(c *checkpoint.Checkpoint) error {
	const name = "generation_config.json"
	text, ok, err := c.File(name)
	if err != nil || !ok {
		return err
	}
	keys, err := family.ParseKeys(text)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.Path, name, err)
	}
	eos, err := keys.IDs("eos_token_id")
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.Path, name, err)
	}
	if len(eos) > 0 {
		m.EOS = eos
	}
	bos, err := keys.IDs("bos_token_id")
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.Path, name, err)
	}
	if m.BOS == nil && len(bos) == 1 {
		m.BOS = &bos[0]
	}
	return nil
}

func (m *Model) tokenizer(c *checkpoint.Checkpoint) error {
	const name = "tokenizer.json"
	text, ok, err := c.File(name)
	if err == nil && !ok {
		_, ok, err := c.File("tokenizer.model")
		m.SentencePiece = ok || err != nil // too large to be read here
		return nil
	}
	if err != nil {
		return err
	}
	if m.Tokenizer, err = importtokenizer.Parse(text); err != nil {
		return fmt.Errorf("%s: %s: %w", c.Path, name, err)
	}
	return nil
}

// SaveTokenizer is how a tokenizer.json is made of a tokenizer.model.
const SaveTokenizer = "save a tokenizer.json beside it with transformers (AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))"

// LacksTokenizer says what a checkpoint without Tokenizer has.
func (m *Model) LacksTokenizer() string {
	if m.SentencePiece {
		return "has no tokenizer.json, only tokenizer.model of SentencePiece, which mambac does not read; " + SaveTokenizer
	}
	return "has no tokenizer.json"
}

// tensors shows a checkpoint to a family.
type tensors struct{ c *checkpoint.Checkpoint }

// Names implements family.Tensors.
func (t tensors) Names() []string { return t.c.Names() }

// Find implements family.Tensors.
func (t tensors) Find(name string) (family.Tensor, bool) {
	x, ok := t.c.Tensor(name)
	if !ok {
		return family.Tensor{}, false
	}
	return family.Tensor{Name: x.Name, DType: x.DType, Shape: x.Shape, Source: x}, true
}
