package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.Mamba3{}.OpName(), rule{lower: lowerMamba3, inPlace: []int{0}}) }

// lowerMamba3 makes ready what the update of the states wants of each token and
// head, then updates them; each worker its heads.
func lowerMamba3(l *lowering, v *ir.Value) error {
	o := v.Op.(op.Mamba3)
	y, row := l.at(v), kernel.Mamba3Ready{HeadDim: o.HeadDim, States: o.States, Rank: o.Rank}.Floats()
	ready := l.readyRows(v, o.Heads*row)
	l.emit(l.mamba3Prepare(v, o, written(heads(ready, row))))
	l.emit(plan.Step{
		Spec:  kernel.Mamba3{HeadDim: o.HeadDim, States: o.States, Rank: o.Rank, StrideReady: ready.stride(), StrideY: y.stride()},
		Split: plan.ByHeads, Panels: o.Heads,
		Args: []plan.Arg{written(heads(y, o.Rank*o.HeadDim)), heads(ready, row), l.headState(v.States[1])},
	})
	return nil
}

func (l *lowering) mamba3Prepare(v *ir.Value, o op.Mamba3, ready plan.Arg) plan.Step {
	args, strides := []plan.Arg{ready}, make([]int, len(v.Args))
	// Of x, dt, a and trap each head has its own; B, C and the angles are for all.
	for i, perHead := range []int{o.HeadDim, 0, 0, 1, 1, 1, 0} {
		w := l.at(v.Args[i])
		strides[i] = w.stride()
		args = append(args, heads(w, perHead))
	}
	for i, perHead := range []int{1, o.Rank * o.States, o.Rank * o.States, 1, o.Rank * o.HeadDim} {
		if v.Params[i] != nil {
			w, _ := l.weight(v.Params[i], plan.Vector, []int{o.Heads * perHead}, 1)
			args = append(args, plan.Arg{Kind: plan.WeightArg, Slot: w, Advance: perHead})
		}
	}
	for _, i := range []int{0, 2, 3} {
		n := v.States[i].Shape.Elements()
		slot := l.state(v.States[i], plan.Vector, 1, n)
		args = append(args, plan.Arg{Kind: plan.StateArg, Slot: slot, Advance: n / o.Heads, Write: true})
	}
	spec := kernel.Mamba3Prepare{
		HeadDim: o.HeadDim, States: o.States, Rank: o.Rank, Angles: o.Angles, Groups: o.Groups, PerGroup: o.Heads / o.Groups,
		StrideReady: ready.Buffer.Stride, StrideX: strides[0], StrideB: strides[1], StrideC: strides[2],
		StrideD: strides[3], StrideA: strides[4], StrideT: strides[5], StrideAngle: strides[6],
		FloorBits: math.Float32bits(o.Floor), Halved: o.Halved, Softplus: o.Softplus, Mimo: v.Params[4] != nil,
	}
	args = append(args, plan.Arg{Kind: plan.ScratchArg})
	return plan.Step{Spec: spec, Split: plan.ByHeads, Panels: o.Heads, Args: args}
}

// readyRows is a temporary of a value's region for what is ready of each token.
func (l *lowering) readyRows(v *ir.Value, width int) view {
	b := l.prepared[v]
	if b == nil {
		b = l.temporary(l.placement.region[v], plan.Arena, l.name("ready"), width, kernel.Pad(width))
		l.prepared[v] = b
	}
	return view{b, 0, width}
}
