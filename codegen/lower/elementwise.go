package lower

import (
	"slices"

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
		l.mapValue(kernel.Map{Function: f}, v)
		return nil
	}
}

// mapValue makes a value by a map of its arguments.
func (l *lowering) mapValue(m kernel.Map, v *ir.Value) {
	var args []view
	for _, a := range v.Args {
		args = append(args, l.at(a))
	}
	m.Width = v.Type.Width
	l.emit(l.mapStep(m, l.at(v), args...))
}

// mapStep applies a function to the first columns of one or two views.
func (l *lowering) mapStep(m kernel.Map, y view, args ...view) plan.Step {
	pass, split, n := whole, l.rowSplit(y), panels(m.Width)
	if l.byPanels(m.Width, append(args, y)...) && y.buffer.Space != plan.Private {
		pass, split, m.Width = lanes, plan.ByChannels, kernel.PanelRows
	}
	m.StrideA, m.StrideY = args[0].stride(), y.stride()
	list := []plan.Arg{written(pass(y)), pass(args[0])}
	if m.Function.Binary() {
		m.StrideB = args[1].stride()
		list = append(list, pass(args[1]))
	}
	return plan.Step{Spec: m, Split: split, Panels: n, Args: list}
}

// byPanels reports whether element-wise work on a few tokens is divided as that
// of linears is, so that none waits for another worker: where all views are of
// whole panels.
func (l *lowering) byPanels(width int, views ...view) bool {
	return l.mode != plan.Prefill && !slices.ContainsFunc(views, func(w view) bool {
		return w.column%kernel.PanelRows != 0 || w.width != kernel.Pad(width)
	})
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
	from, _ := l.source(l.at(v.Args[0]), v.Args[0], v.Op.(op.Slice))
	if at := l.at(v); at.buffer != from.buffer {
		l.copyColumns(at, from, v.Type.Width)
	}
	return nil
}

// copyColumns copies the first width columns of a view.
func (l *lowering) copyColumns(to, from view, width int) {
	l.emit(l.mapStep(kernel.Map{Function: kernel.MapCopy, Width: width}, to, from))
}
