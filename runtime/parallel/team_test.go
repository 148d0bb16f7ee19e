package parallel

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"
)

func TestEveryWorkerRunsOnce(t *testing.T) {
	for n := 1; n <= 4; n++ {
		team := NewTeam(n)
		ran := make([]int, n)
		body := func(w *Worker) { ran[w.ID] += w.Count }
		for range 100 {
			team.Run(body)
		}
		for id, count := range ran {
			if count != 100*n {
				t.Errorf("worker %d of %d ran %d times, want 100", id, n, count/n)
			}
		}
		team.Close()
	}
}

// TestBarrier has every worker read what all others wrote before it.
func TestBarrier(t *testing.T) {
	for n := 1; n <= 4; n++ {
		team := NewTeam(n)
		cells := make([]int, n)
		wrong := make([]int, n)
		team.Run(func(w *Worker) {
			for phase := 1; phase <= 200; phase++ {
				cells[w.ID] = phase
				w.Barrier()
				for _, c := range cells {
					if c != phase {
						wrong[w.ID]++
					}
				}
				w.Barrier()
			}
		})
		for id, count := range wrong {
			if count != 0 {
				t.Errorf("worker %d of %d passed the barrier early %d times", id, n, count)
			}
		}
		team.Close()
	}
}

func TestSplitCoversInOrder(t *testing.T) {
	for _, units := range []int{0, 1, 5, 96} {
		next := 0
		for id := range 3 {
			lo, hi := (&Worker{ID: id, Count: 3}).Split(units)
			if lo != next || hi < lo {
				t.Errorf("worker %d has [%d,%d), want it to start at %d", id, lo, hi, next)
			}
			next = hi
		}
		if next != units {
			t.Errorf("%d units of %d are given out", next, units)
		}
	}
}

// TestPanicPropagates breaks a run on each worker in turn while the others
// wait at a barrier, and then uses the team again.
func TestPanicPropagates(t *testing.T) {
	for n := 1; n <= 4; n++ {
		team := NewTeam(n)
		for bad := range n {
			want := fmt.Sprintf("worker %d", bad)
			if got := recovered(func() {
				team.Run(func(w *Worker) {
					w.Barrier()
					if w.ID == bad {
						panic(want)
					}
					w.Barrier()
					w.Barrier()
				})
			}); got != want {
				t.Errorf("of %d: recovered %v, want %q", n, got, want)
			}
		}
		ran := make([]int, n)
		team.Run(func(w *Worker) { w.Barrier(); ran[w.ID]++; w.Barrier() })
		if slices.Contains(ran, 0) {
			t.Errorf("after a panic the workers ran %v times", ran)
		}
		team.Close()
	}
}

func recovered(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// eventually polls a condition that other goroutines bring about.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// TestIdleWorkersPark: a parked goroutine uses no processor.
func TestIdleWorkersPark(t *testing.T) {
	team := NewTeam(3)
	defer team.Close()
	for range 3 {
		team.Run(func(w *Worker) { w.Barrier() })
		eventually(t, "idle workers do not park", func() bool { return team.start.waiters.Load() == 2 })
	}
}

// TestWaitersAtBarrierPark: nor does one that waits long for the others.
func TestWaitersAtBarrierPark(t *testing.T) {
	team := NewTeam(3)
	defer team.Close()
	team.Run(func(w *Worker) {
		if w.ID == 0 {
			eventually(t, "waiting workers do not park", func() bool { return team.barrier.waiters.Load() == 2 })
		}
		w.Barrier()
	})
}

func TestCloseEndsWorkers(t *testing.T) {
	before := runtime.NumGoroutine()
	team := NewTeam(4)
	team.Close()
	team.Close()
	eventually(t, "workers outlive Close", func() bool { return runtime.NumGoroutine() <= before })
}

func TestRunAllocatesNothing(t *testing.T) {
	for n := 1; n <= 2; n++ {
		team := NewTeam(n)
		body := func(w *Worker) { w.Barrier() }
		if allocs := testing.AllocsPerRun(200, func() { team.Run(body) }); allocs != 0 {
			t.Errorf("%d workers: %v allocations per run", n, allocs)
		}
		team.Close()
	}
}

func BenchmarkBarrier(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			team := NewTeam(n)
			defer team.Close()
			team.Run(func(w *Worker) {
				for range b.N {
					w.Barrier()
				}
			})
		})
	}
}

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			team := NewTeam(n)
			defer team.Close()
			body := func(*Worker) {}
			for b.Loop() {
				team.Run(body)
			}
		})
	}
}
