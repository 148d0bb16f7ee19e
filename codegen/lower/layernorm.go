package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.LayerNorm{}.OpName(), rule{lower: lowerLayerNorm, private: true}) }

// lowerLayerNorm divides the work as that of an RMS norm.
func lowerLayerNorm(l *lowering, v *ir.Value) error {
	x, y := l.at(v.Args[0]), l.at(v)
	spec := kernel.LayerNorm{Width: v.Type.Width, StrideX: x.stride(), StrideY: y.stride(), EpsBits: math.Float32bits(v.Op.(op.LayerNorm).Eps)}
	args := []plan.Arg{written(whole(y)), whole(x), l.rowWeight(v.Params[0])}
	if bias := v.Params[1]; bias != nil {
		spec.Bias = true
		args = append(args, l.rowWeight(bias))
	}
	l.emit(plan.Step{Spec: spec, Split: l.rowSplit(y), Panels: panels(v.Type.Width), Args: args})
	return nil
}
