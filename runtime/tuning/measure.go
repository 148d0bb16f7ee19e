package tuning

import (
	"runtime"
	"time"
)

// A kernel is timed in so many rounds; once so much time is over, in fewer.
const (
	maxRounds = 400
	minRounds = 150
	maxTime   = 2500 * time.Millisecond
)

// measure times all forms in turn, so that what disturbs the machine for a
// while disturbs all, and keeps the least time of each.
func (k *Kernel) measure() []Candidate {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	list := make([]Candidate, len(k.Forms))
	for i, f := range k.Forms {
		list[i] = Candidate{f.Tile, map[int]int{}}
	}
	m := newMemory(k)
	for round, begun := 0, time.Now(); round < minRounds || round < maxRounds && time.Since(begun) < maxTime; round++ {
		for _, tokens := range k.Tokens {
			for i, f := range k.Forms {
				list[i].keep(tokens, m.sample(f, tokens))
			}
		}
	}
	return list
}

// keep notes a time, if it is the least; the clock of some systems sees nothing
// pass.
func (c *Candidate) keep(tokens int, d time.Duration) {
	ns := max(int(d), 1)
	if least, ok := c.Nanoseconds[tokens]; !ok || ns < least {
		c.Nanoseconds[tokens] = ns
	}
}

// sample times one panel. The one before it, of the same form, has asked for its
// weights, as it would in a model.
func (m *memory) sample(f Form, tokens int) time.Duration {
	f.Run(m.next(tokens))
	call := m.next(tokens)
	begun := time.Now()
	f.Run(call)
	return time.Since(begun)
}
