// Package family turns the tensors and config of a checkpoint into a module,
// one file per model type. It sees checkpoint formats, block and ir/build.
package family

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// Tensor is a named tensor of a checkpoint.
type Tensor struct {
	Name   string
	DType  tensor.DType
	Shape  tensor.Shape
	Source tensor.Source
}

// Tensors finds a checkpoint's tensors by name.
type Tensors interface {
	Names() []string
	Find(name string) (Tensor, bool)
}

// Result is an imported model.
type Result struct {
	Module       *ir.Module
	Architecture Architecture
	VocabSize    int     // of the config; the module's vocabulary is all stored rows
	EOS          []int32 // of config.json
	BOS          *int32
	Facts        []Fact // sizes worth showing, in order
	Longest      Longest
}

// Longest is the number of tokens up to which a model is computed, and why it is
// not beyond; 0 tokens for any number.
type Longest struct {
	Tokens int
	Reason string
}

// Fact is a named size.
type Fact struct {
	Name  string
	Value int
}

// Family recognises and imports one kind of checkpoint.
type Family struct {
	Name string
	// Match reports whether a config belongs to this family.
	Match func(c Keys) bool
	// Import builds the module. Of the choices that configs do not make it takes
	// those that concern the model.
	Import func(c Keys, s *Set, choices *Choices) (*Result, error)
}

var families = map[string]Family{}

// register adds a family; called from init of the file that defines it.
func register(f Family) {
	if _, ok := families[f.Name]; ok {
		panic("BUG: family " + f.Name + " is registered twice")
	}
	families[f.Name] = f
}

// Names lists the registered families, sorted.
func Names() []string {
	var names []string
	for name := range families {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// typed is a Match by the config's model_type.
func typed(name string) func(Keys) bool {
	return func(c Keys) bool { return c.modelType() == name }
}

// Detect finds the family of a config.json.
func Detect(c Keys) (Family, error) {
	for _, name := range Names() {
		if f := families[name]; f.Match(c) {
			return f, nil
		}
	}
	known := strings.Join(Names(), ", ")
	if raw, ok := c.get("model_type"); ok {
		return Family{}, fmt.Errorf("unknown model_type %s; known families are %s", short(raw), known)
	}
	return Family{}, fmt.Errorf("no model_type, and no d_model and n_layer as in the state-spaces layout; known families are %s", known)
}
