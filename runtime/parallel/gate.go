package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	cacheLine = 128 // two lines: neighbours are fetched in pairs

	// idleSpins loads take a few microseconds, idleYields rounds through the
	// scheduler some hundred: longer than sampling a token, so that workers
	// stay awake while a text is generated, and short enough to burn nothing
	// between requests.
	idleSpins  = 4096
	idleYields = 1024
)

// gate is a number that goes up; waiting for that spins, then yields, then
// parks.
type gate struct {
	value   atomic.Uint32
	_       [cacheLine - 4]byte
	waiters atomic.Int32 // parked, or about to be
	_       [cacheLine - 4]byte
	spins   int
	mu      sync.Mutex
	moved   sync.Cond
}

func (g *gate) init(spins int) {
	g.spins = spins
	g.moved.L = &g.mu
}

func (g *gate) now() uint32 { return g.value.Load() }

// advance lets everyone through who waits for the present number to pass.
func (g *gate) advance() {
	g.value.Add(1)
	if g.waiters.Load() != 0 {
		g.mu.Lock()
		g.moved.Broadcast()
		g.mu.Unlock()
	}
}

// wait returns once the number is no longer old.
func (g *gate) wait(old uint32) {
	for range g.spins {
		if g.value.Load() != old {
			return
		}
	}
	for range idleYields {
		runtime.Gosched()
		if g.value.Load() != old {
			return
		}
	}
	g.park(old)
}

// park announces itself before it looks a last time; advance changes the
// number before it looks for waiters: one of the two sees the other.
func (g *gate) park(old uint32) {
	g.mu.Lock()
	g.waiters.Add(1)
	for g.value.Load() == old {
		g.moved.Wait()
	}
	g.waiters.Add(-1)
	g.mu.Unlock()
}
