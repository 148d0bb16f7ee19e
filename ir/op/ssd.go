package op

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir"
)

// SSD is the scan of Mamba-2 (families.md §3, steps 3 to 6). Head h reads group
// g = ⌊h·G/H⌋ of B and C:
//
//	Δ_h      = clamp(softplus(dt_h + bias_h), Low, High)
//	s[h,p,n] ← exp(A_h·Δ_h)·s[h,p,n] + Δ_h·u[h,p]·B[g,n]
//	y[h,p]   = Σ_n s[h,p,n]·C[g,n] + D_h·u[h,p]
//
// Arguments: u [H·P], B [G·N], C [G·N], dt [H]; parameters: A [H], the bias of
// dt [H], D [H] or [H·P]; states: s [H,P,N].
type SSD struct {
	Heads, HeadDim, Groups, States int     // H, P, G, N
	Low, High                      float32 `text:"omitzero"` // bounds of Δ; no upper one if High is 0
}

func init() { register(SSD{}) }

// OpName implements ir.Op.
func (SSD) OpName() string { return "ssd" }

// Infer implements ir.Op.
func (o SSD) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 4, 3, 0, 1), floats(args), groupsDivide(o.Groups, o.Heads)); err != nil {
		return ir.Type{}, err
	}
	if o.Low < 0 || o.High != 0 && o.High < o.Low {
		return ir.Type{}, fmt.Errorf("bounds of Δ cannot be %v and %v", o.Low, o.High)
	}
	inner := o.Heads * o.HeadDim
	d := shaped(params[2], o.Heads)
	if d != nil {
		d = shaped(params[2], inner)
	}
	return args[0], first(width(args, 0, inner), width(args, 1, o.Groups*o.States), width(args, 2, o.Groups*o.States),
		width(args, 3, o.Heads), shaped(params[0], o.Heads), shaped(params[1], o.Heads), d,
		stateShaped(states[0], ir.Recurrence, o.Heads, o.HeadDim, o.States))
}

// groupsDivide checks that heads are of whole groups.
func groupsDivide(groups, heads int) error {
	if groups < 1 || heads < 1 || heads%groups != 0 {
		return fmt.Errorf("%d groups do not divide %d heads", groups, heads)
	}
	return nil
}

// Step implements ir.Op.
func (o SSD) Step(f *ir.Frame) {
	u, d := f.Args[0], f.Params[2]
	perGroup := o.Heads / o.Groups
	for h := range o.Heads {
		delta := o.clamp(softplus(float64(f.Args[3][h]) + float64(f.Params[1][h])))
		decay := math.Exp(float64(f.Params[0][h]) * delta)
		g := h / perGroup * o.States
		b, c := f.Args[1][g:g+o.States], f.Args[2][g:g+o.States]
		for p := range o.HeadDim {
			e := h*o.HeadDim + p
			y := 0.0
			state := f.States[0][e*o.States : (e+1)*o.States]
			for n := range state {
				state[n] = float32(decay*float64(state[n]) + delta*float64(u[e])*float64(b[n]))
				y += float64(state[n]) * float64(c[n])
			}
			f.Out[e] = float32(y + float64(d[e*len(d)/len(u)])*float64(u[e]))
		}
	}
}

func (o SSD) clamp(delta float64) float64 {
	delta = max(delta, float64(o.Low))
	if o.High != 0 {
		delta = min(delta, float64(o.High))
	}
	return delta
}

// Cost implements ir.Op.
func (o SSD) Cost(_ []ir.Type, params []*ir.Param, _ []*ir.State) ir.Cost {
	n := o.Heads * o.HeadDim
	return ir.Cost{ParamElements: 2*o.Heads + params[2].Shape[0], StateElements: n * o.States, Flops: n * (5*o.States + 2)}
}
