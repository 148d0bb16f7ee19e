package lower

import (
	"slices"

	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
)

// taps tells, in order of calls, where prefill finds the values to hand out. A
// value's memory is its own until the end of its region, which is when.
func (l *lowering) taps(m *ir.Module) {
	for _, v := range m.Taps {
		w := l.views[v]
		l.plan.Taps = append(l.plan.Taps, plan.Tap{
			Name: v.Name, Call: l.placement.region[v], Buffer: w.buffer, Column: w.column, Width: v.Type.Width,
		})
	}
	slices.SortStableFunc(l.plan.Taps, func(a, b plan.Tap) int { return a.Call - b.Call })
}

// beforeHead is the module with taps in all but the last region, which prefill
// does not run: what of it leads to taps becomes a region of its own. Of an
// output that is tapped, or if states stand behind the taps, nothing is left
// over; then withHead finds a head.
func beforeHead(m *ir.Module) *ir.Module {
	region := m.Regions[len(m.Regions)-1]
	n := 0
	for i, v := range region.Body {
		if slices.Contains(m.Taps, v) {
			n = i + 1
		}
	}
	if n == 0 || n == len(region.Body) {
		return m
	}
	m = ir.Clone(m)
	region = m.Regions[len(m.Regions)-1]
	tapped := &ir.Region{Name: region.Name + ".taps", Body: region.Body[:n:n]}
	region.Body = region.Body[n:]
	m.Regions = slices.Insert(m.Regions, len(m.Regions)-1, tapped)
	return m
}
