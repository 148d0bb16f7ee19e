package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.GatedNorm{}.OpName(), rule{lower: lowerGatedNorm, private: true}) }

// lowerGatedNorm divides the work as that of an RMS norm.
func lowerGatedNorm(l *lowering, v *ir.Value) error {
	o := v.Op.(op.GatedNorm)
	x, z, y := l.at(v.Args[0]), l.at(v.Args[1]), l.at(v)
	l.emit(plan.Step{
		Spec: kernel.GatedNorm{
			Width: v.Type.Width, Group: group(o.Group, v), StrideX: x.stride(), StrideZ: z.stride(), StrideY: y.stride(),
			EpsBits: math.Float32bits(o.Eps), NormFirst: o.NormFirst,
		},
		Split: l.rowSplit(y), Panels: panels(v.Type.Width),
		Args: []plan.Arg{written(whole(y)), whole(x), whole(z), l.rowWeight(v.Params[0])},
	})
	return nil
}
