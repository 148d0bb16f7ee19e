package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() {
	register(op.SiLU{}.OpName(), rule{lower: mapped(kernel.MapSiLU), inPlace: []int{0}})
	register(op.Softplus{}.OpName(), rule{lower: mapped(kernel.MapSoftplus), inPlace: []int{0}})
	register(op.Add{}.OpName(), rule{lower: mapped(kernel.MapAdd), inPlace: []int{0, 1}})
	register(op.Mul{}.OpName(), rule{lower: mapped(kernel.MapMul), inPlace: []int{0, 1}})
	register(op.Slice{}.OpName(), rule{lower: lowerSlice})
}

// mapped lowers an element-wise op that no pass has fused.
func mapped(f kernel.Function) func(l *lowering, v *ir.Value) error {
	return func(l *lowering, v *ir.Value) error {
		y, a := l.at(v), l.at(v.Args[0])
		spec := kernel.Map{Function: f, Width: v.Type.Width, StrideA: a.stride(), StrideY: y.stride()}
		args := []plan.Arg{written(whole(y)), whole(a)}
		if f.Binary() {
			b := l.at(v.Args[1])
			spec.StrideB = b.stride()
			args = append(args, whole(b))
		}
		l.emit(plan.Step{Spec: spec, Split: l.rowSplit(y), Panels: panels(v.Type.Width), Args: args})
		return nil
	}
}

// rowSplit is the split of a step that treats rows independently.
func (l *lowering) rowSplit(y view) plan.Split {
	if y.buffer.Space == plan.Private {
		return plan.Each
	}
	return l.tokenSplit()
}

// lowerSlice does nothing where the slice is a view; otherwise it copies.
func lowerSlice(l *lowering, v *ir.Value) error {
	from, _ := l.source(v.Args[0], v.Op.(op.Slice))
	if at := l.at(v); at.buffer != from.buffer {
		l.copyColumns(at, from, v.Type.Width)
	}
	return nil
}

// copyColumns copies the first width columns of a view.
func (l *lowering) copyColumns(to, from view, width int) {
	l.emit(plan.Step{
		Spec:  kernel.Map{Function: kernel.MapCopy, Width: width, StrideA: from.stride(), StrideY: to.stride()},
		Split: l.rowSplit(to), Panels: panels(width),
		Args: []plan.Arg{written(whole(to)), whole(from)},
	})
}
