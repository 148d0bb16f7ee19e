package op

import "github.com/mambac/mambac/ir"

// GatedNorm is an RMS norm with a gate (families.md §1.4), over groups of Group
// neighbouring elements:
//
//	y = rms(x·silu(z))·w            gate first (GN-A, GN-B)
//	y = rms(x)·w·silu(z)            with NormFirst (GN-C)
//
// Arguments: x [E], z [E]; parameters: w [E].
type GatedNorm struct {
	Eps       float32
	Group     int `text:"omitzero"` // elements of a mean; 0 for all
	NormFirst bool
}

func init() { register(GatedNorm{}) }

// OpName implements ir.Op.
func (GatedNorm) OpName() string { return "gatednorm" }

// Infer implements ir.Op.
func (o GatedNorm) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 2, 1, 0, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	n := args[0].Width
	return args[0], first(width(args, 1, n), grouped(o.Group, n), shaped(params[0], n))
}

// Step implements ir.Op.
func (o GatedNorm) Step(f *ir.Frame) {
	x, z, w := f.Args[0], f.Args[1], f.Params[0]
	if !o.NormFirst {
		for i, v := range x {
			f.Out[i] = float32(float64(v) * silu(float64(z[i])))
		}
		x = f.Out
	}
	group := o.Group
	if group == 0 {
		group = len(x)
	}
	for at := 0; at < len(x); at += group {
		scale := inverseRMS(x[at:at+group], o.Eps)
		for i := at; i < at+group; i++ {
			y := float64(x[i]) * scale * float64(w[i])
			if o.NormFirst {
				y *= silu(float64(z[i]))
			}
			f.Out[i] = float32(y)
		}
	}
}

// Cost implements ir.Op.
func (GatedNorm) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost {
	n := args[0].Width
	return ir.Cost{ParamElements: n, Flops: 6 * n}
}
