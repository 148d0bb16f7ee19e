package lower_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/mambac/mambac/codegen/plan"
)

// span is a run of elements or bytes.
type span struct {
	name   string
	lo, hi int64
}

// requireApart reports spans that meet, or leave what there is.
func requireApart(t *testing.T, where string, spans []span, size int64) {
	t.Helper()
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	for i, s := range spans {
		if s.lo < 0 || s.hi > size || s.lo >= s.hi {
			t.Errorf("%s: %s is [%d, %d) of %d", where, s.name, s.lo, s.hi, size)
		}
		if i > 0 && spans[i-1].hi > s.lo {
			t.Errorf("%s: %s [%d, %d) meets %s [%d, %d)", where, spans[i-1].name, spans[i-1].lo, spans[i-1].hi, s.name, s.lo, s.hi)
		}
	}
}

// TestPlansLayout: buffers that are alive together lie apart in their space,
// weights and states lie apart, all on cache lines.
func TestPlansLayout(t *testing.T) {
	for l := range random(t, 100) {
		var weights, states []span
		pages := make([][]span, len(l.plan.Caches))
		for _, w := range l.plan.Weights {
			weights = append(weights, span{w.Param.Name, w.Offset, w.Offset + w.Bytes()})
		}
		requireApart(t, l.name+": weights", weights, l.plan.Bytes)
		requireAligned(t, l.name, weights, 64)
		for _, s := range l.plan.States {
			at := span{s.State.Name, int64(s.Offset), int64(s.Offset + s.Slot.Elements)}
			switch {
			case s.Slot.Paged():
				pages[s.Slot.Cache] = append(pages[s.Slot.Cache], at)
			case s.Slot.Elements > 0: // a conv of one tap has an empty window
				states = append(states, at)
			}
		}
		for i, c := range l.plan.Caches {
			requireApart(t, fmt.Sprintf("%s: pages of cache %d", l.name, i), pages[i], int64(c.Page))
			requireAligned(t, l.name, pages[i], 16)
		}
		requireApart(t, l.name+": states", states, int64(l.plan.State))
		requireAligned(t, l.name, states, 16)
		for i := range l.plan.Blocks {
			checkBuffers(t, l, l.plan.Blocks[i])
		}
		if t.Failed() {
			t.Fatalf("in\n%s", plan.Format(l.plan))
		}
	}
}

func requireAligned(t *testing.T, where string, spans []span, to int64) {
	t.Helper()
	for _, s := range spans {
		if s.lo%to != 0 {
			t.Errorf("%s: %s begins at %d, no multiple of %d", where, s.name, s.lo, to)
		}
	}
}

// checkBuffers looks at what a block touches and at what must outlive it.
func checkBuffers(t *testing.T, l *lowered, block *plan.Block) {
	t.Helper()
	alive := map[*plan.Buffer]bool{}
	for _, b := range l.plan.Buffers {
		alive[b] = b.Carried
	}
	for _, body := range block.Bodies {
		for _, phase := range body.Phases {
			for _, step := range phase.Steps {
				for _, a := range step.Args {
					if a.Kind == plan.ViewArg {
						alive[a.Buffer] = true
					}
				}
			}
		}
	}
	spans := map[plan.Space][]span{}
	for b, used := range alive {
		if used {
			spans[b.Space] = append(spans[b.Space], span{b.Name, int64(b.Offset), int64(b.Offset + b.Rows*b.Stride)})
		}
	}
	where := l.name + ": block " + block.Name
	requireApart(t, where, spans[plan.Arena], int64(l.plan.Arena))
	requireAligned(t, where, spans[plan.Arena], 16)
	requireApart(t, where, append(spans[plan.Private], span{"scratch", 0, int64(l.plan.Scratch)}), int64(l.plan.Private))
	requireAligned(t, where, spans[plan.Private], 16)
}
