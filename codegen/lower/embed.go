package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.Embed{}.OpName(), rule{lower: lowerEmbed}) }

// lowerEmbed reads rows out of the panels that a tied head streams, so that
// the matrix is stored once.
func lowerEmbed(l *lowering, v *ir.Value) error {
	p, y := v.Params[0], l.at(v)
	index, slot := l.weight(p, plan.Panels, []int{p.Shape[0]}, p.Shape[1])
	l.emit(plan.Step{
		Spec:  kernel.Embed{Storage: slot.Storage, Width: p.Shape[1], StrideY: y.stride()},
		Split: l.tokenSplit(), Panels: panels(p.Shape[1]),
		Args: []plan.Arg{written(whole(y)), {Kind: plan.WeightArg, Slot: index}, {Kind: plan.IDsArg}},
	})
	return nil
}
