package pass

import (
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// canonicalise replaces slices of everything by their argument and equal
// slices by the first, then drops values that nobody uses, and parameters.
func canonicalise(m *ir.Module, _ *Options) error {
	seen := map[sliceKey]*ir.Value{}
	each(m, func(r *ir.Region, v *ir.Value) {
		s, ok := v.Op.(op.Slice)
		if !ok || v == m.Output || slices.Contains(m.Taps, v) {
			return // what it slices may be of another region, or tapped too
		}
		key := sliceKey{r, v.Args[0], s}
		switch {
		case s.Lo == 0 && s.Hi == v.Args[0].Type.Width:
			replace(m, v, v.Args[0])
		case seen[key] != nil:
			replace(m, v, seen[key])
		default:
			seen[key] = v
		}
	})
	dropDead(m)
	return nil
}

type sliceKey struct {
	region *ir.Region
	arg    *ir.Value
	slice  op.Slice
}

// dropDead removes values without a path to the output or a tap; an op with state is
// alive as long as its sequence is, but a dead one changes nothing that is
// seen, so it goes with its state.
func dropDead(m *ir.Module) {
	alive := map[*ir.Value]bool{}
	var mark func(v *ir.Value)
	mark = func(v *ir.Value) {
		if !alive[v] {
			alive[v] = true
			for _, a := range v.Args {
				mark(a)
			}
		}
	}
	mark(m.Output)
	for _, v := range m.Taps {
		mark(v)
	}
	params, states := map[*ir.Param]bool{}, map[*ir.State]bool{}
	for _, r := range m.Regions {
		r.Body = slices.DeleteFunc(r.Body, func(v *ir.Value) bool { return !alive[v] })
		for _, v := range r.Body {
			for _, p := range v.Params {
				params[p] = true
			}
			for _, s := range v.States {
				states[s] = true
			}
		}
	}
	m.Params = slices.DeleteFunc(m.Params, func(p *ir.Param) bool { return !params[p] })
	m.States = slices.DeleteFunc(m.States, func(s *ir.State) bool { return !states[s] })
}
