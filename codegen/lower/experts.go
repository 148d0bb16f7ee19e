package lower

import (
	"slices"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() { register(op.Experts{}.OpName(), rule{lower: lowerExperts}) }

// experts is the lowering of one op.Experts.
type experts struct {
	*lowering
	op.Experts
	value        *ir.Value
	count, inner int
	parts        int // segments of In of one expert: gate and up, or one
	buffers      *expertBuffers
}

// expertBuffers are the temporaries of an expert's rows: what it is given, what
// In makes of it, what Down is given, and its result.
type expertBuffers struct {
	in, hidden, active, out *plan.Buffer
	quantised               map[plan.Space]*plan.Buffer // active as whole numbers
}

// lowerExperts makes a loop over the experts that are chosen for some row. Each
// treats its rows together, so that its weights are read once; a row's results
// are added in the order of experts whatever other rows there are.
func lowerExperts(l *lowering, v *ir.Value) error {
	o := v.Op.(op.Experts)
	x := &experts{lowering: l, Experts: o, value: v, count: v.Args[1].Type.Width, inner: v.Params[1].Shape[1], parts: 2}
	if o.Plain {
		x.parts = 1
	}
	in, inSlot := l.weight(v.Params[0], plan.Panels, slices.Repeat([]int{x.inner}, x.count*x.parts), v.Args[0].Type.Width)
	inStorage := inSlot.Storage
	down, downSlot := l.weight(v.Params[1], plan.Panels, slices.Repeat([]int{v.Type.Width}, x.count), x.inner)
	downStorage := downSlot.Storage
	x.buffers = l.expertBuffers(v, x, inStorage)
	given, y := l.input(v, inStorage), l.at(v)
	l.emit(l.mapStep(kernel.Map{Function: kernel.MapZero, Width: v.Type.Width}, y, y))
	weights := l.at(v.Args[1])
	l.loop = &plan.Loop{Weights: plan.Arg{Kind: plan.ViewArg, Buffer: weights.buffer, Column: weights.column, Width: x.count}}
	defer func() { l.loop = nil }()
	if !l.single() {
		given = x.gather(given)
	}
	hidden := view{x.buffers.hidden, 0, x.parts * kernel.Pad(x.inner)}
	x.product(hidden, given, in, inStorage, v.Args[0].Type.Width, x.parts*panels(x.inner), false)
	x.activate(hidden, weights)
	x.finish(y, down, downStorage)
	return nil
}

// expertBuffers makes an op's temporaries, the same for all modes.
func (l *lowering) expertBuffers(v *ir.Value, x *experts, in kernel.Storage) *expertBuffers {
	if have := l.experts[v]; have != nil {
		return have
	}
	given := kernel.Pad(v.Args[0].Type.Width)
	if l.fast(in) {
		given = in.QuantisedRow(v.Args[0].Type.Width).Floats
	}
	b := &expertBuffers{quantised: map[plan.Space]*plan.Buffer{}}
	region := l.placement.region[v]
	for _, t := range []struct {
		buffer **plan.Buffer
		name   string
		width  int
	}{{&b.in, "expertIn", given}, {&b.hidden, "expertHidden", x.parts * kernel.Pad(x.inner)},
		{&b.active, "expertActive", kernel.Pad(x.inner)}, {&b.out, "expertOut", kernel.Pad(v.Type.Width)}} {
		*t.buffer = l.temporary(region, plan.Arena, l.name(t.name), t.width, t.width)
	}
	l.experts[v] = b
	return b
}

// gather copies the expert's rows of the input one below the other.
func (x *experts) gather(from view) view {
	to := view{x.buffers.in, 0, from.width}
	x.emit(plan.Step{
		Spec:  kernel.Gather{Width: from.width, StrideX: from.stride(), StrideY: to.stride()},
		Split: plan.ByTokens, Panels: 1, Args: []plan.Arg{written(whole(to)), everywhere(from), {Kind: plan.RowsArg}},
	})
	return to
}

// everywhere passes all rows of a value, to be found by a list.
func everywhere(w view) plan.Arg {
	a := whole(w)
	a.Whole = true
	return a
}

// product multiplies the expert's rows by its part of a stack of matrices.
func (x *experts) product(y, from view, slot int, s kernel.Storage, k, panels int, residual bool) {
	perPanel := s.PanelElements(k)
	spec, scratch := x.lowering.product(s, k, from.stride(), y.stride(), kernel.Epilogue{Residual: residual})
	args := []plan.Arg{written(lanes(y)), {Kind: plan.WeightArg, Slot: slot, Advance: perPanel, Expert: panels * perPanel}, whole(from)}
	if residual {
		args = append(args, lanes(y))
	}
	if scratch {
		args = append(args, plan.Arg{Kind: plan.ScratchArg})
	}
	x.emit(plan.Step{Spec: spec, Split: plan.ByChannels, Panels: panels, Args: args})
}

// activate makes of In·x what Down is given, times the expert's weight.
func (x *experts) activate(hidden, weights view) {
	to, act := view{x.buffers.active, 0, kernel.Pad(x.inner)}, kernel.Function(x.Function)
	if x.Plain {
		x.emit(x.mapStep(kernel.Map{Function: act, Width: x.inner}, to, hidden))
	} else {
		up := view{hidden.buffer, kernel.Pad(x.inner), kernel.Pad(x.inner)}
		x.emit(x.mapStep(kernel.Map{Function: act.Gated(), Width: x.inner}, to, view{hidden.buffer, 0, kernel.Pad(x.inner)}, up))
	}
	w := plan.Arg{Kind: plan.ViewArg, Buffer: weights.buffer, Column: weights.column, Width: x.count, Expert: 1, Whole: true}
	weigh := kernel.Weigh{Width: x.inner, StrideY: to.stride(), StrideW: weights.stride()}
	split, pass := plan.ByTokens, whole
	if x.mode != plan.Prefill { // of a few tokens as In is: none waits for another worker
		split, pass, weigh.Width = plan.ByChannels, lanes, kernel.PanelRows
	}
	x.emit(plan.Step{Spec: weigh, Split: split, Panels: panels(x.inner), Args: []plan.Arg{written(pass(to)), w, {Kind: plan.RowsArg}}})
}

// finish adds the expert's result to the rows that it is chosen for.
func (x *experts) finish(y view, slot int, s kernel.Storage) {
	from, width := view{x.buffers.active, 0, kernel.Pad(x.inner)}, x.value.Type.Width
	if x.fast(s) {
		from = x.quantise(from, s)
	}
	if x.single() {
		x.product(y, from, slot, s, x.inner, panels(width), true)
		return
	}
	out := view{x.buffers.out, 0, kernel.Pad(width)}
	x.product(out, from, slot, s, x.inner, panels(width), false)
	x.emit(plan.Step{
		Spec:  kernel.Scatter{Width: width, StrideX: out.stride(), StrideY: y.stride()},
		Split: plan.ByTokens, Panels: panels(width), Args: []plan.Arg{written(everywhere(y)), whole(out), {Kind: plan.RowsArg}},
	})
}

// quantise turns what Down is given into whole numbers.
func (x *experts) quantise(from view, s kernel.Storage) view {
	space := plan.Arena
	if x.single() {
		space = plan.Private
	}
	b := x.buffers.quantised[space]
	if b == nil {
		row := s.QuantisedRow(x.inner).Floats
		b = x.temporary(x.placement.region[x.value], space, x.name("expertQuantised"), row, row)
		x.buffers.quantised[space] = b
	}
	to := view{b, 0, b.Width}
	x.emit(x.quantiseStep(from, x.inner, s, to))
	return to
}
