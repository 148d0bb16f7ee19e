package op

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// Mamba3Gate gates the ranks of Mamba-3 and adds them up (families.md §4, steps
// 11 and 12):
//
//	y_r[h,p] ← y_r[h,p]·silu(z[h,p]·mimoZ[h,r,p])                    or with Norm
//	y_r[h,p] ← rms(y_r[h,·])·w[h,p]·silu(z[h,p]·mimoZ[h,r,p])
//	out[h,p] = Σ_r mimoO[h,r,p]·y_r[h,p]
//
// Arguments: y [H,R,P], z [H·P]; parameters: mimoZ, mimoO [H,R,P], with one rank
// optional, w [H·P], only with Norm.
type Mamba3Gate struct {
	HeadDim, Rank int
	Norm          bool
	Eps           float32
}

func init() { register(Mamba3Gate{}) }

// OpName implements ir.Op.
func (Mamba3Gate) OpName() string { return "mamba3gate" }

// Infer implements ir.Op.
func (o Mamba3Gate) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 2, 3, 3, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	if o.HeadDim < 1 || o.Rank < 1 {
		return ir.Type{}, fmt.Errorf("rank %d and heads of %d make no gate", o.Rank, o.HeadDim)
	}
	inner := args[1].Width
	heads := inner / o.HeadDim
	return args[1], first(grouped(o.HeadDim, inner), width(args, 0, inner*o.Rank), together(o.Norm, params[2]), together(o.Rank > 1 || params[1] != nil, params[0]), together(params[0] != nil, params[1]),
		shaped(params[0], heads, o.Rank, o.HeadDim), shaped(params[1], heads, o.Rank, o.HeadDim), shaped(params[2], inner))
}

// Step implements ir.Op.
func (o Mamba3Gate) Step(f *ir.Frame) {
	for h := range len(f.Out) / o.HeadDim {
		sum := make([]float64, o.HeadDim)
		for r := range o.Rank {
			at := (h*o.Rank + r) * o.HeadDim
			y := f.Args[0][at : at+o.HeadDim]
			scale := 1.0
			if o.Norm {
				scale = inverseRMS(y, o.Eps)
			}
			for p := range sum {
				sum[p] += o.element(f, h, r, p, float64(y[p])*scale)
			}
		}
		for p, v := range sum {
			f.Out[h*o.HeadDim+p] = float32(v)
		}
	}
}

// element is what rank r adds to an element whose output, normed if it is to
// be, is y.
func (o Mamba3Gate) element(f *ir.Frame, h, r, p int, y float64) float64 {
	e, i := h*o.HeadDim+p, (h*o.Rank+r)*o.HeadDim+p
	z := float64(f.Args[1][e])
	if f.Params[2] != nil {
		y *= float64(f.Params[2][e])
	}
	if f.Params[0] == nil {
		return y * silu(z)
	}
	return y * silu(z*float64(f.Params[0][i])) * float64(f.Params[1][i])
}

// Cost implements ir.Op.
func (o Mamba3Gate) Cost(args []ir.Type, params []*ir.Param, _ []*ir.State) ir.Cost {
	c := ir.Cost{Flops: 4 * args[0].Width}
	for _, p := range params {
		if p != nil {
			c.ParamElements += p.Shape.Elements()
		}
	}
	return c
}
