package op

import (
	"math"

	"github.com/mambac/mambac/ir"
)

// LayerNorm is y = (x−mean(x)) · 1/√(var(x)+eps) · w + b, with the variance of
// the whole population (families.md §0.2, 3). Arguments: x [D]; parameters:
// w [D], b [D], optional.
type LayerNorm struct {
	Eps float32
}

func init() { register(LayerNorm{}) }

// OpName implements ir.Op.
func (LayerNorm) OpName() string { return "layernorm" }

// Infer implements ir.Op.
func (LayerNorm) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 1, 2, 1, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	n := args[0].Width
	return args[0], first(shaped(params[0], n), shaped(params[1], n))
}

// Step implements ir.Op.
func (o LayerNorm) Step(f *ir.Frame) {
	x, n := f.Args[0], float64(len(f.Out))
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += float64(v) / n
	}
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean) / n
	}
	scale := 1 / math.Sqrt(variance+float64(o.Eps))
	for i, v := range x {
		y := (float64(v) - mean) * scale * float64(f.Params[0][i])
		if b := f.Params[1]; b != nil {
			y += float64(b[i])
		}
		f.Out[i] = float32(y)
	}
}

// Cost implements ir.Op.
func (LayerNorm) Cost(args []ir.Type, params []*ir.Param, states []*ir.State) ir.Cost {
	n := args[0].Width
	c := ir.Cost{ParamElements: n, Flops: 7 * n}
	if params[1] != nil {
		c.ParamElements += n
	}
	return c
}
