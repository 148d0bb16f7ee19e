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

// Ends are the parameters around the layers of a model.
type Ends struct {
	Embedding, Norm *ir.Param
	NormBias        *ir.Param // nil if norms are not centred
	Head            *ir.Param // Embedding if tied
	Epsilon         float32   // of the norms
}

// Tied reports whether the head is the embedding.
func (e *Ends) Tied() bool { return e.Head == e.Embedding }

// Mamba1 is the Architecture of families.md §2, whatever layout it came in.
// Sizes are those of the parameters.
type Mamba1 struct {
	Ends
	Layers []MixerLayer[*block.Mamba1]
}

// MixerLayer is one layer: the norm of its input, and the mixer.
type MixerLayer[M any] struct {
	Norm  *ir.Param
	Mixer M
}

// Kind implements Architecture.
func (*Mamba1) Kind() string { return "mamba1" }

// Mamba2 is the Architecture of families.md §3, whatever layout it came in.
type Mamba2 struct {
	Ends
	Layers []MixerLayer[*block.Mamba2]
}

// Kind implements Architecture.
func (*Mamba2) Kind() string { return "mamba2" }

// Llama is the Architecture of families.md §13: Llama, Mistral and Mixtral.
type Llama struct {
	Ends
	Layers  []LlamaLayer
	Rotary  Rotary
	Longest int // text that the model was made for, in tokens; 0 where no config says
}

// Rotary is what rotary embeddings turn by (families.md §1.7).
type Rotary struct {
	Frequencies *ir.Param // one for two elements of a head; in no checkpoint
	Factor      float32   // of cosines and sines
	Theta       float64   // the base of plain frequencies
	Stretch     []float32 // by what plain ones are divided; nil where they are plain
	Longest     Longest   // where the frequencies hold
}

// LlamaLayer is one layer: attention and what follows it, each with the norm of
// its input.
type LlamaLayer struct {
	Norm, ForwardNorm *ir.Param
	Attention         *block.Attention
	MLP               *block.MLP // nil where there are experts
	Experts           *block.MoE // nil where there is an MLP
}

// Kind implements Architecture.
func (*Llama) Kind() string { return "llama" }

// unplaced is the Architecture of a family whose parameters nobody writes down
// under other names; it is the family's name.
type unplaced string

// Kind implements Architecture.
func (u unplaced) Kind() string { return string(u) }
