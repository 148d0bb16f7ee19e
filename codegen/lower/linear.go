package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() {
	register(op.Linear{}.OpName(), rule{lower: lowerLinear, inPlace: []int{1}})
}

// fewPanels is the number of panels below which prefill divides a linear's
// tokens among the workers instead of its rows.
const fewPanels = 8

// lowerLinear makes one gemv (gemm) per segment of rows, so that every worker
// computes the same channels of a segment that it treats afterwards. A residual
// that does not lie as the result does is added by itself.
func lowerLinear(l *lowering, v *ir.Value) error {
	y := l.at(v)
	apart := v.Op.(op.Linear).Residual && !alike(l.at(v.Args[1]), y)
	row := 0
	for _, n := range l.segmentsOf(v) {
		l.emit(l.linearStep(v, y, row, n, v.Op.(op.Linear).Residual && !apart))
		row += kernel.Pad(n)
	}
	if apart {
		l.emit(l.mapStep(kernel.Map{Function: kernel.MapAdd, Width: v.Type.Width}, y, y, l.at(v.Args[1])))
	}
	return nil
}

// alike reports whether two views have whole panels and one row stride.
func alike(a, b view) bool { return a.width == b.width && a.stride() == b.stride() }

// linearStep is the part of a linear from padded row `row` on, n rows high.
func (l *lowering) linearStep(v *ir.Value, y view, row, n int, residual bool) plan.Step {
	k := v.Args[0].Type.Width
	segments := l.segmentsOf(v)
	index, slot := l.weight(v.Params[0], plan.Panels, segments, k)
	bias := len(v.Params) > 1 && v.Params[1] != nil
	epilogue := kernel.Epilogue{Bias: bias, Residual: residual}
	part := view{y.buffer, y.column + row, kernel.Pad(n)}
	x := l.input(v, slot.Storage)
	perPanel := slot.Storage.PanelElements(k)
	args := []plan.Arg{
		written(lanes(part)),
		{Kind: plan.WeightArg, Slot: index, Start: row / kernel.PanelRows * perPanel, Advance: perPanel},
		whole(x),
	}
	if bias {
		b, _ := l.weight(v.Params[1], plan.Vector, segments, 1)
		args = append(args, vector(b, row))
	}
	if residual {
		r := l.at(v.Args[1])
		args = append(args, lanes(view{r.buffer, r.column + row, kernel.Pad(n)}))
	}
	spec, scratch := l.product(slot.Storage, k, x.stride(), y.stride(), epilogue)
	if scratch {
		args = append(args, plan.Arg{Kind: plan.ScratchArg})
	}
	step := plan.Step{Spec: spec, Split: plan.ByChannels, Panels: panels(n), Args: args}
	if l.mode == plan.Prefill && step.Panels < fewPanels {
		step.Split = plan.ByTokens
	}
	return step
}

// product is the kernel of a linear in the mode and the arithmetic at hand, and
// whether it needs scratch.
func (l *lowering) product(s kernel.Storage, k, strideX, strideY int, e kernel.Epilogue) (spec kernel.Spec, scratch bool) {
	switch fast := l.fast(s); {
	case fast && l.single():
		return kernel.DotGemv{Storage: s, K: k, Epilogue: e}, true
	case fast:
		return kernel.DotGemm{Storage: s, K: k, StrideX: strideX, StrideY: strideY, Epilogue: e}, true
	case l.single():
		return kernel.Gemv{Storage: s, K: k, Epilogue: e}, false
	}
	return kernel.Gemm{Storage: s, K: k, StrideX: strideX, StrideY: strideY, Epilogue: e}, true
}
