package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.RMSNorm{}.OpName(), rule{lower: lowerRMSNorm}) }

// lowerRMSNorm computes the norm of few rows on every worker, into its private
// memory; prefill divides the tokens.
func lowerRMSNorm(l *lowering, v *ir.Value) error {
	x, y := l.at(v.Args[0]), l.at(v)
	spec := kernel.RMSNorm{
		Width: v.Type.Width, StrideX: x.stride(), StrideY: y.stride(),
		EpsBits: math.Float32bits(float32(v.Op.(op.RMSNorm).Eps)),
	}
	args := []plan.Arg{written(whole(y)), whole(x)}
	if len(v.Params) > 0 && v.Params[0] != nil {
		spec.Weight = true
		index, _ := l.weight(v.Params[0], plan.Vector, []int{v.Type.Width}, 1)
		args = append(args, plan.Arg{Kind: plan.WeightArg, Slot: index})
	}
	split := l.tokenSplit()
	if y.buffer.Space == plan.Private {
		split = plan.Each
	}
	l.emit(plan.Step{Spec: spec, Split: split, Panels: panels(v.Type.Width), Args: args})
	return nil
}
