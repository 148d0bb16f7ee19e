package op

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// Embed looks a token id up: y = W[id] (families.md §0.2, 1).
// Arguments: the ids; parameters: W [V,D].
type Embed struct{}

func init() { register(Embed{}) }

// OpName implements ir.Op.
func (Embed) OpName() string { return "embed" }

// Infer implements ir.Op.
func (Embed) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := want(args, params, states, 1, 1, 0, 0); err != nil {
		return ir.Type{}, err
	}
	if args[0].Elem != ir.ID {
		return ir.Type{}, fmt.Errorf("argument 0 is %v, want ids", args[0])
	}
	if len(params[0].Shape) != 2 {
		return ir.Type{}, fmt.Errorf("%s: have %v, want a matrix", params[0].Name, params[0].Shape)
	}
	return ir.Vec(params[0].Shape[1]), nil
}

// Step implements ir.Op.
func (Embed) Step(f *ir.Frame) {
	width := len(f.Out)
	copy(f.Out, f.Params[0][f.ID*width:(f.ID+1)*width])
}

// Cost implements ir.Op.
func (Embed) Cost(args []ir.Type, params []*ir.Param, states []*ir.State) ir.Cost {
	return ir.Cost{ParamElements: params[0].Shape[1]}
}
