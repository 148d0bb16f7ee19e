package op

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir"
)

// Scan1 is the selective scan of Mamba-1 (families.md §2, steps 5, 7, 8 and
// the gate of 9):
//
//	h[e,n] ← exp(Δ_e·A[e,n])·h[e,n] + Δ_e·u_e·B_n
//	y_e    = Σ_n h[e,n]·C_n + D_e·u_e
//
// Arguments: u [E], dt [E], B [N], C [N], with Gate also z [E]; parameters:
// A [E,N], D [E], with Softplus also the bias of dt [E]; states: h [E,N].
type Scan1 struct {
	States   int  // N
	Softplus bool // Δ = softplus(dt + bias); else Δ = dt
	Gate     bool // y ← y·silu(z)
}

func init() { register(Scan1{}) }

// OpName implements ir.Op.
func (Scan1) OpName() string { return "scan1" }

// Infer implements ir.Op.
func (o Scan1) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	nArgs := 4
	if o.Gate {
		nArgs = 5
	}
	if err := first(want(args, params, states, nArgs, 3, 1, 1), floats(args)); err != nil {
		return ir.Type{}, err
	}
	if (params[2] != nil) != o.Softplus {
		return ir.Type{}, fmt.Errorf("the bias of dt goes with Softplus")
	}
	e, n := args[0].Width, o.States
	errs := []error{width(args, 1, e), width(args, 2, n), width(args, 3, n),
		shaped(params[0], e, n), shaped(params[1], e), shaped(params[2], e), stateShaped(states[0], ir.Recurrence, e, n)}
	if o.Gate {
		errs = append(errs, width(args, 4, e))
	}
	return args[0], first(errs...)
}

// Step implements ir.Op.
func (o Scan1) Step(f *ir.Frame) {
	u, dt, b, c := f.Args[0], f.Args[1], f.Args[2], f.Args[3]
	for e := range u {
		delta := float64(dt[e])
		if o.Softplus {
			delta = softplus(delta + float64(f.Params[2][e]))
		}
		row := e * o.States
		y := channel(f.States[0][row:row+o.States], f.Params[0][row:row+o.States], b, c, delta, float64(u[e]))
		y += float64(f.Params[1][e]) * float64(u[e])
		if o.Gate {
			y *= silu(float64(f.Args[4][e]))
		}
		f.Out[e] = float32(y)
	}
}

// channel advances the states of one channel and returns Σ h·C.
func channel(h, a, b, c []float32, delta, u float64) float64 {
	y := 0.0
	for n := range h {
		h[n] = float32(math.Exp(delta*float64(a[n]))*float64(h[n]) + delta*u*float64(b[n]))
		y += float64(h[n]) * float64(c[n])
	}
	return y
}

// Cost implements ir.Op.
func (o Scan1) Cost(args []ir.Type, params []*ir.Param, states []*ir.State) ir.Cost {
	e := args[0].Width
	cost := ir.Cost{ParamElements: e * (o.States + 1), StateElements: e * o.States, Flops: e * (6*o.States + 2)}
	if params[2] != nil {
		cost.ParamElements += e
	}
	return cost
}
