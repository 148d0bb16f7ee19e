package op

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// Slice is elements [Lo, Hi) of each token's vector (families.md §1.1:
// slices are contiguous). Arguments: x.
type Slice struct {
	Lo, Hi int
}

func init() { register(Slice{}) }

// OpName implements ir.Op.
func (Slice) OpName() string { return "slice" }

// Infer implements ir.Op.
func (o Slice) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 1, 0, 0, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	if o.Lo < 0 || o.Hi <= o.Lo || o.Hi > args[0].Width {
		return ir.Type{}, fmt.Errorf("[%d, %d) is no slice of width %d", o.Lo, o.Hi, args[0].Width)
	}
	return ir.Vec(o.Hi - o.Lo), nil
}

// Step implements ir.Op.
func (o Slice) Step(f *ir.Frame) { copy(f.Out, f.Args[0][o.Lo:o.Hi]) }

// Cost implements ir.Op.
func (Slice) Cost([]ir.Type, []*ir.Param, []*ir.State) ir.Cost { return ir.Cost{} }
