package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() {
	register(op.Scan1{}.OpName(), rule{lower: lowerScan1, lanes: []int{0, 1, 4}, inPlace: []int{0, 1, 4}})
}

// lowerScan1 passes u, Δ and z by channels, B and C whole.
func lowerScan1(l *lowering, v *ir.Value) error {
	o, channels := v.Op.(op.Scan1), v.Type.Width
	u, dt, y := l.at(v.Args[0]), l.at(v.Args[1]), l.at(v)
	b, c := l.together(v.Args[2], v.Args[3])
	spec := kernel.Scan1{
		States: o.States, StrideU: u.stride(), StrideD: dt.stride(), StrideY: y.stride(),
		StrideBC: b.stride(), OffsetB: b.column, OffsetC: c.column, Softplus: o.Softplus, Gate: o.Gate,
	}
	args := []plan.Arg{written(lanes(y)), lanes(u), lanes(dt)}
	if o.Gate {
		z := l.at(v.Args[4])
		spec.StrideZ = z.stride()
		args = append(args, lanes(z))
	}
	perPanel := kernel.PanelRows * o.States
	a, _ := l.weight(v.Params[0], plan.Lanes, []int{channels}, o.States)
	d, _ := l.weight(v.Params[1], plan.Vector, []int{channels}, 1)
	args = append(args, whole(view{b.buffer, 0, b.stride()}),
		plan.Arg{Kind: plan.WeightArg, Slot: a, Advance: perPanel}, vector(d, 0))
	if o.Softplus {
		bias, _ := l.weight(v.Params[2], plan.Vector, []int{channels}, 1)
		args = append(args, vector(bias, 0))
	}
	h := l.state(v.States[0], plan.Lanes, o.States, channels)
	args = append(args, plan.Arg{Kind: plan.StateArg, Slot: h, Advance: perPanel, Write: true}, plan.Arg{Kind: plan.ScratchArg})
	l.emit(plan.Step{Spec: spec, Split: plan.ByChannels, Panels: panels(channels), Args: args})
	return nil
}

// together gives two values views of one buffer, copying them side by side
// where they are not: the kernel walks one row per token for both.
func (l *lowering) together(a, b *ir.Value) (view, view) {
	va, vb := l.at(a), l.at(b)
	if va.buffer == vb.buffer {
		return va, vb
	}
	pair := l.pair(a, b)
	left := view{pair, 0, a.Type.Width}
	right := view{pair, kernel.Pad(a.Type.Width), b.Type.Width}
	l.copyColumns(left, va, a.Type.Width)
	l.copyColumns(right, vb, b.Type.Width)
	return left, right
}
