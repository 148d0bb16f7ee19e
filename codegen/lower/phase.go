package lower

import (
	"slices"

	"github.com/mambac/mambac/codegen/plan"
)

// phases cuts a run of steps where one needs what another worker makes: steps
// stay together as long as every worker depends on its own part alone.
func phases(steps []looped) []plan.Phase {
	var list []plan.Phase
	for i := range steps {
		s := &steps[i]
		last := len(list) - 1
		if last < 0 || list[last].Loop != s.loop || slices.ContainsFunc(list[last].Steps, func(before plan.Step) bool { return conflict(&before, &s.Step) }) {
			list = append(list, plan.Phase{Loop: s.loop})
			last++
		}
		list[last].Steps = append(list[last].Steps, s.Step)
	}
	return list
}

// looped is a step and the loop that it is part of, if any.
type looped struct {
	plan.Step
	loop *plan.Loop
}

// conflict reports whether b must wait for a on all workers.
func conflict(a, b *plan.Step) bool {
	for i := range a.Args {
		for j := range b.Args {
			x, y := &a.Args[i], &b.Args[j]
			if (x.Write || y.Write) && overlap(x, y) && !sameWorker(a, b, x, y) {
				return true
			}
		}
	}
	return false
}

// overlap reports whether two arguments may touch the same element.
func overlap(x, y *plan.Arg) bool {
	switch {
	case x.Kind != y.Kind:
		return false
	case x.Kind == plan.StateArg:
		return x.Slot == y.Slot
	case x.Kind != plan.ViewArg || x.Buffer != y.Buffer:
		return false
	}
	return x.Column < y.Column+y.Width && y.Column < x.Column+x.Width
}

// sameWorker reports whether every element that two overlapping arguments
// share belongs to one worker, which runs its steps in order.
func sameWorker(a, b *plan.Step, x, y *plan.Arg) bool {
	switch {
	case x.Kind == plan.ViewArg && x.Buffer.Space == plan.Private:
		return true
	case a.Split != b.Split:
		return false
	case a.Split == plan.ByChannels:
		return a.Panels == b.Panels && x.Column == y.Column && x.Advance == y.Advance && x.Advance != 0
	}
	return a.Split != plan.ByHeads || a.Panels == b.Panels // rows of tokens, heads, or everything on one worker
}
