package op

import (
	"math"

	"github.com/mambac/mambac/ir"
)

// Angles is what rotary embeddings turn by at the position p of the token
// (families.md §1.7): cos(p·f_i)·Factor for all i, then sin(p·f_i)·Factor. The
// product p·f_i is rounded to float32. Parameters: f [r/2].
type Angles struct {
	Factor float32 // attention factor of scaled frequencies; 1 for none
}

func init() { register(Angles{}) }

// OpName implements ir.Op.
func (Angles) OpName() string { return "angles" }

// Infer implements ir.Op.
func (Angles) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := want(args, params, states, 0, 1, 0, 0); err != nil {
		return ir.Type{}, err
	}
	n := params[0].Shape.Elements()
	return ir.Vec(2 * n), shaped(params[0], n)
}

// Step implements ir.Op.
func (o Angles) Step(f *ir.Frame) {
	n := len(f.Params[0])
	for i, frequency := range f.Params[0] {
		sin, cos := math.Sincos(float64(float32(f.Position) * frequency))
		f.Out[i], f.Out[n+i] = float32(cos)*o.Factor, float32(sin)*o.Factor
	}
}

// Cost implements ir.Op.
func (Angles) Cost(_ []ir.Type, params []*ir.Param, _ []*ir.State) ir.Cost {
	n := params[0].Shape.Elements()
	return ir.Cost{ParamElements: n, Flops: 5 * n}
}
