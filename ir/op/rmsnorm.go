package op

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir"
)

// RMSNorm is y = x · 1/√(mean(x²)+eps) · w (families.md §1.3), the mean taken of
// all of x or of each Group neighbouring elements. Arguments: x [D]; parameters:
// w [D], optional; a w [Group] serves every group.
type RMSNorm struct {
	Eps   float32
	Group int `text:"omitzero"` // elements of a mean; 0 for all
}

func init() { register(RMSNorm{}) }

// OpName implements ir.Op.
func (RMSNorm) OpName() string { return "rmsnorm" }

// Infer implements ir.Op.
func (o RMSNorm) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 1, 1, 1, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	if err := grouped(o.Group, args[0].Width); err != nil {
		return ir.Type{}, err
	}
	if p := params[0]; p != nil && o.Group > 0 && p.Shape.Equal([]int{o.Group}) {
		return args[0], nil
	}
	return args[0], shaped(params[0], args[0].Width)
}

// grouped checks that a width is of whole groups; 0 is one group of all.
func grouped(group, width int) error {
	if group < 0 || group > 0 && width%group != 0 {
		return fmt.Errorf("groups of %d do not divide a width of %d", group, width)
	}
	return nil
}

// Step implements ir.Op.
func (o RMSNorm) Step(f *ir.Frame) {
	group := o.Group
	if group == 0 {
		group = len(f.Out)
	}
	for at := 0; at < len(f.Out); at += group {
		x := f.Args[0][at : at+group]
		scale := inverseRMS(x, o.Eps)
		for i, v := range x {
			y := float64(v) * scale
			if w := f.Params[0]; w != nil {
				y *= float64(w[(at+i)%len(w)])
			}
			f.Out[at+i] = float32(y)
		}
	}
}

// inverseRMS is 1/√(mean(x²)+eps).
func inverseRMS(x []float32, eps float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return 1 / math.Sqrt(sum/float64(len(x))+float64(eps))
}

// Cost implements ir.Op.
func (RMSNorm) Cost(args []ir.Type, params []*ir.Param, states []*ir.State) ir.Cost {
	n := args[0].Width
	c := ir.Cost{Flops: 4 * n}
	if params[0] != nil {
		c.ParamElements = params[0].Shape[0]
	}
	return c
}
