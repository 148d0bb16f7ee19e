package lower

import (
	"math"
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// embeddings is the number of ids that every embedding has a row for.
func embeddings(m *ir.Module) int {
	n := math.MaxInt32
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if _, ok := v.Op.(op.Embed); ok {
				n = min(n, v.Params[0].Shape[0])
			}
		}
	}
	return n
}

// withHead is the module with a last region that can be computed for any rows
// alone, those whose logits are wanted: it has neither states nor ids nor taps,
// and asks for no position.
// Where there is none, a copy of the output becomes one.
func withHead(m *ir.Module) *ir.Module {
	last := m.Regions[len(m.Regions)-1].Body
	bound := slices.ContainsFunc(last, func(v *ir.Value) bool {
		_, places := v.Op.(op.Angles)
		return places || len(v.States) > 0 || slices.Contains(v.Args, m.Input) || slices.Contains(m.Taps, v)
	})
	if !bound {
		return m
	}
	m = ir.Clone(m)
	logits := &ir.Value{
		Name: "logits", Op: op.Slice{Hi: m.Output.Type.Width}, Type: m.Output.Type, Args: []*ir.Value{m.Output},
	}
	m.Regions = append(m.Regions, &ir.Region{Name: "logits", Body: []*ir.Value{logits}})
	m.Output = logits
	return m
}
