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
	q, y := l.at(v.Args[0]), l.at(v)
	group := o.Heads / o.KVHeads
	spec := kernel.Attend{HeadDim: o.HeadDim, Group: group, StrideQ: q.stride(), StrideY: y.stride(),
		Window: o.Window, ScaleBits: math.Float32bits(o.Scale), Storage: cacheStorage(o.Cache)}
	keys, values := l.keep(v.States[0], spec.Keys(), l.at(v.Args[1])), l.keep(v.States[1], spec.Values(), l.at(v.Args[2]))
	l.emit(plan.Step{Spec: spec, Split: plan.ByHeads, Panels: o.KVHeads, Args: []plan.Arg{
		written(heads(y, group*o.HeadDim)), heads(q, group*o.HeadDim), keys, values,
		{Kind: plan.ScratchArg}, {Kind: plan.ScratchArg, Start: spec.AttendStats()},
	}})
	return nil
}

// cacheStorage is what pages hold.
func cacheStorage(format string) kernel.Storage {
	if format == "f32" {
		return ""
	}
	return kernel.Storage(format)
}

// keep stores the rows of keys or values, and gives the page that they are on: of
// a few tokens each worker those of its heads, which it attends to afterwards.
func (l *lowering) keep(s *ir.State, k kernel.Keep, x view) plan.Arg {
	heads, split := heads(x, k.HeadDim), plan.ByHeads
	if l.mode == plan.Prefill {
		split = plan.ByTokens
	}
	k.StrideX = x.stride()
	page := plan.Arg{Kind: plan.StateArg, Slot: l.cache(s, k), Advance: k.HeadWords()}
	l.emit(plan.Step{Spec: k, Split: split, Panels: s.Shape[0], Args: []plan.Arg{written(page), heads}})
	return page
}

// heads passes each worker its run of heads of a value.
func heads(w view, perHead int) plan.Arg {
	a := whole(w)
	a.Advance = perHead
	return a
}
