package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.Route{}.OpName(), rule{lower: lowerRoute}) }

func lowerRoute(l *lowering, v *ir.Value) error {
	o, x, y := v.Op.(op.Route), l.at(v.Args[0]), l.at(v)
	spec := kernel.Route{
		Router: o.Kind, Experts: v.Type.Width, Top: o.Top, Groups: o.Groups, TopGroups: o.TopGroups, Renorm: o.Renorm,
		Bias: v.Params[0] != nil, StrideX: x.stride(), StrideY: y.stride(), FactorBits: math.Float32bits(o.Factor),
	}
	args := []plan.Arg{written(whole(y)), whole(x)}
	if spec.Bias {
		bias, _ := l.weight(v.Params[0], plan.Vector, []int{v.Type.Width}, 1)
		args = append(args, plan.Arg{Kind: plan.WeightArg, Slot: bias})
	}
	l.emit(plan.Step{Spec: spec, Split: l.rowSplit(y), Panels: panels(v.Type.Width), Args: args})
	return nil
}
