package op

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// Conv is the causal depthwise convolution with its window carried
// (families.md §1.5):
//
//	y[c] = act( Σ_j w[c,0,j]·x_{t−K+1+j}[c] + b[c] )     j = 0 … K−1
//
// Arguments: x [C]; parameters: w [C,1,K], b [C], optional; states: the window
// [C,K−1] of earlier inputs.
type Conv struct {
	Taps       int    // K
	Activation string // "" or "silu"
}

func init() { register(Conv{}) }

// OpName implements ir.Op.
func (Conv) OpName() string { return "conv" }

// Infer implements ir.Op.
func (o Conv) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 1, 2, 1, 1), floats(args)); err != nil {
		return ir.Type{}, err
	}
	if o.Taps < 1 {
		return ir.Type{}, fmt.Errorf("conv kernel is %d, want at least 1", o.Taps)
	}
	if o.Activation != "" && o.Activation != "silu" {
		return ir.Type{}, fmt.Errorf("unknown activation %q", o.Activation)
	}
	c := args[0].Width
	return args[0], first(shaped(params[0], c, 1, o.Taps), shaped(params[1], c),
		stateShaped(states[0], ir.Window, c, o.Taps-1))
}

// Step implements ir.Op.
func (o Conv) Step(f *ir.Frame) {
	k := o.Taps
	for c, x := range f.Args[0] {
		w, window := f.Params[0][c*k:(c+1)*k], f.States[0][c*(k-1):(c+1)*(k-1)]
		sum := 0.0
		for j, past := range window {
			sum += float64(w[j]) * float64(past)
		}
		sum += float64(w[k-1]) * float64(x)
		if b := f.Params[1]; b != nil {
			sum += float64(b[c])
		}
		if k > 1 {
			copy(window, window[1:])
			window[k-2] = x
		}
		if o.Activation == "silu" {
			sum = silu(sum)
		}
		f.Out[c] = float32(sum)
	}
}

// Cost implements ir.Op.
func (o Conv) Cost(args []ir.Type, params []*ir.Param, states []*ir.State) ir.Cost {
	c := args[0].Width
	cost := ir.Cost{ParamElements: c * o.Taps, StateElements: c * (o.Taps - 1), Flops: 2 * c * o.Taps}
	if params[1] != nil {
		cost.ParamElements += c
	}
	return cost
}
