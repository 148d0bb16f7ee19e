package op

import (
	"errors"

	"github.com/mambac/mambac/ir"
)

// Concat is its arguments one after the other (families.md §0.2, 11).
// Arguments: one or more vectors.
type Concat struct{}

func init() { register(Concat{}) }

// OpName implements ir.Op.
func (Concat) OpName() string { return "concat" }

// Infer implements ir.Op.
func (Concat) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if len(args) == 0 {
		return ir.Type{}, errors.New("have no arguments, want at least 1")
	}
	if err := first(want(args, params, states, len(args), 0, 0, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	n := 0
	for _, a := range args {
		n += a.Width
	}
	return ir.Vec(n), nil
}

// Step implements ir.Op.
func (Concat) Step(f *ir.Frame) {
	at := 0
	for _, a := range f.Args {
		at += copy(f.Out[at:], a)
	}
}

// Cost implements ir.Op.
func (Concat) Cost([]ir.Type, []*ir.Param, []*ir.State) ir.Cost { return ir.Cost{} }
