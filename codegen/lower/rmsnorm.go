package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.RMSNorm{}.OpName(), rule{lower: lowerRMSNorm, private: true}) }

// lowerRMSNorm computes the norm of few rows on every worker, into its private
// memory; prefill divides the tokens.
func lowerRMSNorm(l *lowering, v *ir.Value) error {
	o := v.Op.(op.RMSNorm)
	x, y := l.at(v.Args[0]), l.at(v)
	spec := kernel.RMSNorm{
		Width: v.Type.Width, Group: group(o.Group, v), StrideX: x.stride(), StrideY: y.stride(),
		EpsBits: math.Float32bits(o.Eps),
	}
	args := []plan.Arg{written(whole(y)), whole(x)}
	if len(v.Params) > 0 && v.Params[0] != nil {
		spec.Weight = true
		spec.Shared = v.Params[0].Shape[0] < v.Type.Width
		args = append(args, l.rowWeight(v.Params[0]))
	}
	l.emit(plan.Step{Spec: spec, Split: l.rowSplit(y), Panels: panels(v.Type.Width), Args: args})
	return nil
}

// group is the size of the groups of a norm; 0 for one of everything.
func group(n int, v *ir.Value) int {
	if n == v.Type.Width {
		return 0
	}
	return n
}

// rowWeight passes all elements of a parameter, in their own order, to every
// worker.
func (l *lowering) rowWeight(p *ir.Param) plan.Arg {
	index, _ := l.weight(p, plan.Vector, []int{p.Shape.Elements()}, 1)
	return plan.Arg{Kind: plan.WeightArg, Slot: index}
}
