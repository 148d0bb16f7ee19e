package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
)

// Architecture is the parameters of a model by their places in the network,
// for those who write them down under other names. What a layout calls them
// and how its config says it is behind it.
type Architecture interface {
	// Kind names the type: mamba1.
	Kind() string
}

// Mamba1 is the Architecture of families.md §2, whatever layout it came in.
// Sizes are those of the parameters.
type Mamba1 struct {
	Embedding, Norm *ir.Param
	Head            *ir.Param // Embedding if tied
	Layers          []Mamba1Layer
	Epsilon         float32 // of the norms
}

// Mamba1Layer is one layer: the norm of its input, and the mixer.
type Mamba1Layer struct {
	Norm  *ir.Param
	Mixer *block.Mamba1
}

// Kind implements Architecture.
func (*Mamba1) Kind() string { return "mamba1" }

// Unplaced is the Architecture of a family whose parameters nobody writes down
// under other names; it is the family's name.
type Unplaced string

// Kind implements Architecture.
func (u Unplaced) Kind() string { return string(u) }
