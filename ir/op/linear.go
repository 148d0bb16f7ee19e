package op

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// Linear is y = W·x + b + residual (families.md §1.1).
// Arguments: x [K], with Residual also the residual [N]; parameters: W [N,K],
// b [N], optional.
type Linear struct {
	Residual bool
}

func init() { register(Linear{}) }

// OpName implements ir.Op.
func (Linear) OpName() string { return "linear" }

// Infer implements ir.Op.
func (o Linear) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	n := 1
	if o.Residual {
		n = 2
	}
	if err := first(want(args, params, states, n, 2, 1, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	w := params[0]
	if len(w.Shape) != 2 || w.Shape[1] != args[0].Width {
		return ir.Type{}, fmt.Errorf("%s: have %v, want [N %d]", w.Name, w.Shape, args[0].Width)
	}
	if o.Residual {
		if err := width(args, 1, w.Shape[0]); err != nil {
			return ir.Type{}, err
		}
	}
	return ir.Vec(w.Shape[0]), shaped(params[1], w.Shape[0])
}

// Step implements ir.Op.
func (o Linear) Step(f *ir.Frame) {
	x, w := f.Args[0], f.Params[0]
	for i := range f.Out {
		sum := dot(w[i*len(x):(i+1)*len(x)], x)
		if b := f.Params[1]; b != nil {
			sum += float64(b[i])
		}
		if o.Residual {
			sum += float64(f.Args[1][i])
		}
		f.Out[i] = float32(sum)
	}
}

// dot is Σ a·b in float64. The four sums keep the adder busy: this loop is
// nearly all the time of the oracle.
func dot(a, b []float32) float64 {
	var s0, s1, s2, s3 float64
	n := len(b) &^ 3
	for i := 0; i < n; i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s0 += float64(x[0]) * float64(y[0])
		s1 += float64(x[1]) * float64(y[1])
		s2 += float64(x[2]) * float64(y[2])
		s3 += float64(x[3]) * float64(y[3])
	}
	for i := n; i < len(b); i++ {
		s0 += float64(a[i]) * float64(b[i])
	}
	return s0 + s1 + s2 + s3
}

// Cost implements ir.Op.
func (Linear) Cost(args []ir.Type, params []*ir.Param, states []*ir.State) ir.Cost {
	n := params[0].Shape.Elements()
	c := ir.Cost{ParamElements: n, Flops: 2 * n}
	if params[1] != nil {
		c.ParamElements += params[0].Shape[0]
	}
	return c
}
