package op

import (
	"math"

	"github.com/mambac/mambac/ir"
)

// Activation is an element-wise function by its name (families.md §1.6).
// Arguments: x.
type Activation struct {
	Function string // gelu, gelu_tanh, relu, relu2, sigmoid
}

func init() { register(Activation{}) }

// activations holds the functions that GLU and Experts know too.
var activations = map[string]func(float64) float64{
	"silu":      silu,
	"gelu":      func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) },
	"gelu_tanh": func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) },
	"relu":      func(x float64) float64 { return max(x, 0) },
	"relu2":     func(x float64) float64 { return max(x, 0) * max(x, 0) },
	"sigmoid":   func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
}

// OpName implements ir.Op.
func (Activation) OpName() string { return "activation" }

// Infer implements ir.Op.
func (o Activation) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := knownActivation(o.Function); err != nil {
		return ir.Type{}, err
	}
	return unary(args, params, states)
}

// Step implements ir.Op.
func (o Activation) Step(f *ir.Frame) { apply(f, activations[o.Function]) }

// Cost implements ir.Op.
func (Activation) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost {
	return elementCost(args)
}
