// Package ir is the model's intermediate representation: parameters, states
// and straight-line SSA over a symbolic number of tokens. It never learns a CPU.
package ir

import (
	"fmt"

	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/tensor"
)

// Elem is what one element of a value is.
type Elem uint8

// The element kinds of values.
const (
	Float Elem = iota // float32
	ID                // token id
)

// Type is the type of a value: per token, Width elements. The number of
// tokens is the same symbolic T for every value of a module.
type Type struct {
	Elem  Elem
	Width int
}

// String prints the type as in the text form: f32[T,768] or id[T].
func (t Type) String() string {
	if t.Elem == ID {
		return "id[T]"
	}
	return fmt.Sprintf("f32[T,%d]", t.Width)
}

// Vec is the type of a float value of the given width per token.
func Vec(width int) Type { return Type{Float, width} }

// Transform is applied to a parameter's values when they are read.
type Transform string

// The transforms that families need.
const (
	Identity Transform = ""
	NegExp   Transform = "neg_exp" // −exp(x): A from A_log
)

// Param is a named tensor of the checkpoint as the module uses it.
type Param struct {
	Name      string
	Shape     tensor.Shape
	DType     tensor.DType  // as stored in the checkpoint
	Transform Transform     // applied element-wise on reading
	Storage   string        // weight format in the artifact; "" until chosen
	Source    tensor.Source // nil in modules parsed from text
	// Encoder chooses the codes of a storage format that has codes; nil for the
	// format's own choice.
	Encoder storage.Encoder
}

// StateKind says what a state carries between tokens.
type StateKind string

// The kinds of state.
const (
	Window     StateKind = "window"     // last inputs of a causal convolution
	Recurrence StateKind = "recurrence" // state of a scan
	Cache      StateKind = "cache"      // keys or values of attention
)

// State is carried from token to token; zero before the first.
type State struct {
	Name  string
	Kind  StateKind
	Shape tensor.Shape // canonical order, families.md §0.3; of a Cache, of one token
	// Window is how many tokens back a Cache is read, its own included; 0 for
	// all. Other states have none.
	Window int
}

// Value is one SSA value: the result of an op.
type Value struct {
	Name   string // without the sigil; unique in the module
	Type   Type
	Op     Op
	Args   []*Value
	Params []*Param // nil entries stand for optional parameters left out
	States []*State
}

// Region is a named run of values, one per layer plus those before and after,
// so that dumps are readable and equal layers can share code.
type Region struct {
	Name string // "embed", "layers.0", …, "head"
	Body []*Value
}

// Module is one model: ids[T] → logits.
type Module struct {
	Name    string // family, e.g. "mamba"
	Params  []*Param
	States  []*State
	Input   *Value // Op is nil; Type is id[T]
	Regions []*Region
	Taps    []*Value // handed out beside the logits, for all tokens
	Output  *Value   // logits
}

// Op is the operation of a value. Implementations are comparable structs in
// ir/op whose exported fields are the attributes.
type Op interface {
	// OpName is the registered name, as printed.
	OpName() string
	// Infer is the shape rule: the result type, or what is wrong.
	Infer(args []Type, params []*Param, states []*State) (Type, error)
	// Step is the meaning: one token, carried state, float64 accumulation
	// and float32 storage. out has the result's width.
	Step(f *Frame)
	// Cost is per token.
	Cost(args []Type, params []*Param, states []*State) Cost
}

// Frame is what an op sees when it is evaluated for one token.
type Frame struct {
	ID int // token id, for ops whose argument is the input
	// Position is the number of tokens before this one.
	Position int
	Args     [][]float32 // one per argument; nil for the id input
	Params   [][]float32 // dense values after the transform; nil when left out
	Shapes   []tensor.Shape
	States   [][]float32 // mutable, canonical order; a Cache grows by its Shape a token
	Out      []float32
	// Narrow rounds, in place, what the op multiplies with its second matrix; nil
	// where that is not rounded.
	Narrow func([]float32)
}

// Cost is what an op must move and compute for one token, and for every token of
// the text that it looks back on, its own included.
type Cost struct {
	ParamElements int // parameter elements read
	StateElements int // state elements read and written back
	Flops         int
	CachedFlops   int // for each token looked back on
}
