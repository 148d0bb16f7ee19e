package lower

import (
	"math"
	"slices"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.SSD{}.OpName(), rule{lower: lowerSSD, inPlace: []int{0}}) }

// lowerSSD passes u and dt by heads, B and C whole.
func lowerSSD(l *lowering, v *ir.Value) error {
	o, inner := v.Op.(op.SSD), v.Type.Width
	u, dt, y := l.at(v.Args[0]), l.at(v.Args[3]), l.at(v)
	b, c := l.together(v.Args[1], v.Args[2])
	spec := kernel.SSD{
		HeadDim: o.HeadDim, States: o.States, PerGroup: o.Heads / o.Groups,
		StrideU: u.stride(), StrideBC: b.stride(), OffsetB: b.column, OffsetC: c.column, StrideD: dt.stride(), StrideY: y.stride(),
		LowBits: math.Float32bits(o.Low), HighBits: math.Float32bits(o.High),
		Elements: v.Params[2].Shape.Elements() != o.Heads,
	}
	args := []plan.Arg{written(heads(y, o.HeadDim)), heads(u, o.HeadDim), whole(view{b.buffer, 0, b.stride()}), heads(dt, 1)}
	for i, p := range v.Params {
		perHead, n := 1, o.Heads
		if i == 2 && spec.Elements {
			perHead, n = o.HeadDim, inner
		}
		w, _ := l.weight(p, plan.Vector, []int{n}, 1)
		args = append(args, plan.Arg{Kind: plan.WeightArg, Slot: w, Advance: perHead})
	}
	h := l.headState(v.States[0])
	l.emit(plan.Step{Spec: spec, Split: plan.ByHeads, Panels: o.Heads,
		Args: append(args, h, plan.Arg{Kind: plan.ScratchArg})})
	return nil
}

// headState passes each worker its run of heads of a state [H,P,N].
func (l *lowering) headState(s *ir.State) plan.Arg {
	heads, dim, columns := s.Shape[0], s.Shape[1], s.Shape[2]
	slot := l.state(s, plan.Heads, columns, slices.Repeat([]int{dim}, heads)...)
	return plan.Arg{Kind: plan.StateArg, Slot: slot, Advance: kernel.PadGroup(dim) * columns, Write: true}
}
