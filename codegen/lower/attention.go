package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.Attention{}.OpName(), rule{lower: lowerAttention}) }

// lowerAttention keeps the new keys and values on their pages, then attends to
// page after page.
func lowerAttention(l *lowering, v *ir.Value) error {
	o := v.Op.(op.Attention)
	keys, values := l.cache(v.States[0], plan.Keys), l.cache(v.States[1], plan.Values)
	l.keep(o, keys, l.at(v.Args[1]), true)
	l.keep(o, values, l.at(v.Args[2]), false)
	q, y := l.at(v.Args[0]), l.at(v)
	group := o.Heads / o.KVHeads
	spec := kernel.Attend{HeadDim: o.HeadDim, Group: group, StrideQ: q.stride(), StrideY: y.stride(),
		Window: o.Window, ScaleBits: math.Float32bits(o.Scale)}
	l.emit(plan.Step{Spec: spec, Split: plan.ByHeads, Panels: o.KVHeads, Args: []plan.Arg{
		written(heads(y, group*o.HeadDim)), heads(q, group*o.HeadDim),
		page(o, keys), page(o, values),
		{Kind: plan.ScratchArg}, {Kind: plan.ScratchArg, Start: spec.AttendStats()},
	}})
	return nil
}

// keep stores the rows of keys or values: of a few tokens each worker those of
// its heads, which it attends to afterwards.
func (l *lowering) keep(o op.Attention, slot int, x view, columns bool) {
	split := plan.ByHeads
	if l.mode == plan.Prefill {
		split = plan.ByTokens
	}
	l.emit(plan.Step{Spec: kernel.Keep{HeadDim: o.HeadDim, StrideX: x.stride(), Columns: columns}, Split: split, Panels: o.KVHeads,
		Args: []plan.Arg{written(page(o, slot)), heads(x, o.HeadDim)}})
}

// heads passes each worker its run of heads of a value.
func heads(w view, perHead int) plan.Arg {
	a := whole(w)
	a.Advance = perHead
	return a
}

// page passes each worker its run of heads of a page.
func page(o op.Attention, slot int) plan.Arg {
	return plan.Arg{Kind: plan.StateArg, Slot: slot, Advance: o.HeadDim * kernel.PageTokens}
}
