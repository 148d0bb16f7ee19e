package lower

import (
	"fmt"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() {
	register(op.Conv{}.OpName(), rule{lower: lowerConv, lanes: []int{0}, inPlace: []int{0}})
}

func lowerConv(l *lowering, v *ir.Value) error {
	o, channels := v.Op.(op.Conv), v.Type.Width
	activation := kernel.Activation(o.Activation)
	if activation != kernel.NoActivation && activation != kernel.SiLU {
		return fmt.Errorf("no conv kernel has the activation %q; build with --disable-pass fuse-conv", o.Activation)
	}
	x, y := l.at(v.Args[0]), l.at(v)
	w, _ := l.weight(v.Params[0], plan.Taps, []int{channels}, o.Taps)
	spec := kernel.Conv{Taps: o.Taps, Channels: kernel.Pad(channels), StrideX: x.stride(), StrideY: y.stride(), Activation: activation}
	args := []plan.Arg{written(lanes(y)), lanes(x), vector(w, 0)}
	if len(v.Params) > 1 && v.Params[1] != nil {
		spec.Bias = true
		b, _ := l.weight(v.Params[1], plan.Vector, []int{channels}, 1)
		args = append(args, vector(b, 0))
	}
	window := l.state(v.States[0], plan.Taps, o.Taps-1, channels)
	args = append(args, plan.Arg{Kind: plan.StateArg, Slot: window, Advance: kernel.PanelRows, Write: true})
	l.emit(plan.Step{Spec: spec, Split: plan.ByChannels, Panels: panels(channels), Args: args})
	return nil
}
