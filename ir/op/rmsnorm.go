package op

import (
	"math"

	"github.com/mambac/mambac/ir"
)

// RMSNorm is y = x · 1/√(mean(x²)+eps) · w (families.md §1.3).
// Arguments: x [D]; parameters: w [D], optional.
type RMSNorm struct {
	Eps float32
}

func init() { register(RMSNorm{}) }

// OpName implements ir.Op.
func (RMSNorm) OpName() string { return "rmsnorm" }

// Infer implements ir.Op.
func (RMSNorm) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 1, 1, 1, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	return args[0], shaped(params[0], args[0].Width)
}

// Step implements ir.Op.
func (o RMSNorm) Step(f *ir.Frame) {
	sum := 0.0
	for _, v := range f.Args[0] {
		sum += float64(v) * float64(v)
	}
	scale := 1 / math.Sqrt(sum/float64(len(f.Out))+float64(o.Eps))
	for i, v := range f.Args[0] {
		y := float64(v) * scale
		if w := f.Params[0]; w != nil {
			y *= float64(w[i])
		}
		f.Out[i] = float32(y)
	}
}

// Cost implements ir.Op.
func (RMSNorm) Cost(args []ir.Type, params []*ir.Param, states []*ir.State) ir.Cost {
	n := args[0].Width
	c := ir.Cost{Flops: 4 * n}
	if params[0] != nil {
		c.ParamElements = n
	}
	return c
}
