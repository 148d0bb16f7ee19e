package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
)

// at is where a value lies in the current mode.
func (l *lowering) at(v *ir.Value) view {
	if l.mode != plan.Prefill {
		if w, ok := l.private[v]; ok {
			return w
		}
	}
	return l.views[v]
}

// whole passes all columns of a value to every worker.
func whole(w view) plan.Arg {
	return plan.Arg{Kind: plan.ViewArg, Buffer: w.buffer, Column: w.column, Width: w.width}
}

// lanes passes each worker its run of a value's channels.
func lanes(w view) plan.Arg {
	a := whole(w)
	a.Advance = kernel.PanelRows
	return a
}

// written marks an argument as written.
func written(a plan.Arg) plan.Arg {
	a.Write = true
	return a
}

// vector passes a run of a per-channel weight, from a padded row on.
func vector(slot, row int) plan.Arg {
	return plan.Arg{Kind: plan.WeightArg, Slot: slot, Start: row, Advance: kernel.PanelRows}
}

// stride is a view's distance from token to token.
func (w view) stride() int { return w.buffer.Stride }

// panels is the number of panels that n channels take.
func panels(n int) int { return kernel.Pad(n) / kernel.PanelRows }

// pair returns a buffer of the region at hand for two values side by side.
func (l *lowering) pair(a, b *ir.Value) *plan.Buffer {
	if have := l.pairs[a]; have != nil {
		return have
	}
	buffer := l.temporary(l.placement.region[a], plan.Arena, l.name("pair"),
		a.Type.Width+b.Type.Width, kernel.Pad(a.Type.Width)+kernel.Pad(b.Type.Width))
	l.pairs[a] = buffer
	return buffer
}
