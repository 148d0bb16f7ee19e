package op

import "github.com/mambac/mambac/ir"

// Scale is x times a constant: the multipliers of Granite and Falcon-H1
// (families.md §9.2, §12). Arguments: x.
type Scale struct {
	By float32
}

func init() { register(Scale{}) }

// OpName implements ir.Op.
func (Scale) OpName() string { return "scale" }

// Infer implements ir.Op.
func (Scale) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	return unary(args, params, states)
}

// Step implements ir.Op.
func (o Scale) Step(f *ir.Frame) {
	for i, v := range f.Args[0] {
		f.Out[i] = o.By * v
	}
}

// Cost implements ir.Op.
func (Scale) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost { return elementCost(args) }
