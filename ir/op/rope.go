package op

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// RoPE turns the first r elements of every head by angles (families.md §1.7),
// where r is the width of the angles; element i goes with i+r/2, or with
// Interleaved 2i with 2i+1. The others pass through:
//
//	y_i = x_i·cos_i − x_j·sin_i,  y_j = x_j·cos_i + x_i·sin_i
//
// Arguments: x [heads·HeadDim], the angles [r].
type RoPE struct {
	HeadDim     int
	Interleaved bool
}

func init() { register(RoPE{}) }

// OpName implements ir.Op.
func (RoPE) OpName() string { return "rope" }

// Infer implements ir.Op.
func (o RoPE) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 2, 0, 0, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	switch r := args[1].Width; {
	case o.HeadDim < 1 || args[0].Width%o.HeadDim != 0:
		return ir.Type{}, fmt.Errorf("heads of %d do not divide a width of %d", o.HeadDim, args[0].Width)
	case r%2 != 0 || r > o.HeadDim:
		return ir.Type{}, fmt.Errorf("angles have width %d, want an even number up to the head dim %d", r, o.HeadDim)
	}
	return args[0], nil
}

// Step implements ir.Op.
func (o RoPE) Step(f *ir.Frame) {
	copy(f.Out, f.Args[0])
	half := len(f.Args[1]) / 2
	cos, sin := f.Args[1][:half], f.Args[1][half:]
	for at := 0; at < len(f.Out); at += o.HeadDim {
		for i := range half {
			a, b := at+i, at+i+half
			if o.Interleaved {
				a, b = at+2*i, at+2*i+1
			}
			x, y, c, s := float64(f.Args[0][a]), float64(f.Args[0][b]), float64(cos[i]), float64(sin[i])
			f.Out[a], f.Out[b] = float32(x*c-y*s), float32(y*c+x*s)
		}
	}
}

// Cost implements ir.Op.
func (o RoPE) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost {
	return ir.Cost{Flops: 3 * args[0].Width / o.HeadDim * args[1].Width}
}
