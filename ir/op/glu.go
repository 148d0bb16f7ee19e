package op

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// GLU is the product of a gated linear unit: act(gate)·up (families.md §1.8).
// Arguments: gate [I], up [I].
type GLU struct {
	Function string // of the gate: silu, gelu, …
}

func init() { register(GLU{}) }

// OpName implements ir.Op.
func (GLU) OpName() string { return "glu" }

// Infer implements ir.Op.
func (o GLU) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := knownActivation(o.Function); err != nil {
		return ir.Type{}, err
	}
	return binary(args, params, states)
}

// Step implements ir.Op.
func (o GLU) Step(f *ir.Frame) {
	act := activations[o.Function]
	for i, gate := range f.Args[0] {
		f.Out[i] = float32(act(float64(gate)) * float64(f.Args[1][i]))
	}
}

// Cost implements ir.Op.
func (GLU) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost {
	return ir.Cost{Flops: 2 * args[0].Width}
}

// knownActivation checks the name of an activation.
func knownActivation(name string) error {
	if activations[name] == nil {
		return fmt.Errorf("unknown activation %q", name)
	}
	return nil
}
