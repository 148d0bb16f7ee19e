package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.Angles{}.OpName(), rule{lower: lowerAngles}) }

// lowerAngles computes the angles of a few tokens on one worker: each row of a
// batch has a position of its own, that of its sequence.
func lowerAngles(l *lowering, v *ir.Value) error {
	y, split := l.at(v), plan.One
	if l.mode == plan.Prefill {
		split = plan.ByTokens
	}
	l.emit(plan.Step{
		Spec:  kernel.Angles{Count: v.Type.Width / 2, StrideY: y.stride(), FactorBits: math.Float32bits(v.Op.(op.Angles).Factor)},
		Split: split, Panels: panels(v.Type.Width),
		Args: []plan.Arg{written(whole(y)), l.rowWeight(v.Params[0])},
	})
	return nil
}
