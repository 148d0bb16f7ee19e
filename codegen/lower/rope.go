package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.RoPE{}.OpName(), rule{lower: lowerRoPE, private: true}) }

// lowerRoPE divides the work as that of a norm.
func lowerRoPE(l *lowering, v *ir.Value) error {
	o := v.Op.(op.RoPE)
	x, angles, y := l.at(v.Args[0]), l.at(v.Args[1]), l.at(v)
	l.emit(plan.Step{
		Spec: kernel.RoPE{
			Width: v.Type.Width, HeadDim: o.HeadDim, Rotary: v.Args[1].Type.Width,
			StrideX: x.stride(), StrideA: angles.stride(), StrideY: y.stride(), Interleaved: o.Interleaved,
		},
		Split: l.rowSplit(y), Panels: panels(v.Type.Width),
		Args: []plan.Arg{written(whole(y)), whole(x), whole(angles)},
	})
	return nil
}
