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
		var args []view
		for _, a := range v.Args {
			args = append(args, l.at(a))
		}
		l.emit(l.mapStep(f, v.Type.Width, l.at(v), args...))
		return nil
	}
}

// mapStep applies a function to the first width columns of one or two views.
func (l *lowering) mapStep(f kernel.Function, width int, y view, args ...view) plan.Step {
	spec := kernel.Map{Function: f, Width: width, StrideA: args[0].stride(), StrideY: y.stride()}
	list := []plan.Arg{written(whole(y)), whole(args[0])}
	if f.Binary() {
		spec.StrideB = args[1].stride()
		list = append(list, whole(args[1]))
	}
	return plan.Step{Spec: spec, Split: l.rowSplit(y), Panels: panels(width), Args: list}
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
	l.emit(l.mapStep(kernel.MapCopy, width, to, from))
}
