// Package probe measures the limits of this machine with bare loops: reading
// memory, float32 multiply-adds, dot products of int8 and bfloat16. It sees runtime/cpu and
// runtime/parallel.
package probe

import (
	"time"

	"github.com/mambac/mambac/runtime/parallel"
)

const (
	rounds    = 5       // of which the best counts
	readBytes = 1 << 30 // of anonymous memory
	fewBytes  = 1 << 27 // for an estimate: more than most caches hold
	readBlock = 1 << 19 // per call of a kernel: assembly cannot be preempted
	callLoops = 1 << 14 // of arithmetic per call, some 50 µs
	callCount = 2048    // calls per round, some 0.1 s: as long as a round of reading
)

// arithmetic is a loop without memory.
type arithmetic struct {
	run  func(loops int)
	work int // operations per loop; a multiply-add is two
}

// ReadGBs is the rate at which the given number of threads together read
// 1 GiB of anonymous memory on huge pages in sequence, in 10⁹ bytes a second,
// the best of five. Other sizes of vectors count as tries.
func ReadGBs(threads int) (float64, error) { return readRate(threads, readBytes) }

// EstimateReadGBs is ReadGBs of 128 MiB, in about a tenth of a second. Where a
// cache holds as much, it tells of that.
func EstimateReadGBs(threads int) (float64, error) { return readRate(threads, fewBytes) }

func readRate(threads, bytes int) (float64, error) {
	memory, release, err := hugePages(bytes)
	if err != nil {
		return 0, err
	}
	defer release()
	team := parallel.NewTeam(threads)
	defer team.Close()
	part := func(w *parallel.Worker) []byte {
		lo, hi := w.Split(bytes / readBlock)
		return memory[lo*readBlock : hi*readBlock]
	}
	team.Run(func(w *parallel.Worker) { touch(part(w)) })
	best := 0.0
	for _, read := range readers() {
		body := func(w *parallel.Worker) {
			for b := part(w); len(b) > 0; b = b[readBlock:] {
				read(b[:readBlock])
			}
		}
		best = max(best, fastest(team, body, float64(bytes)))
	}
	return best, nil
}

// touch makes the system give every page, from the worker that will read it.
func touch(b []byte) {
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
}

// FMAGFlops is the rate of float32 multiply-adds on registers of the best
// level this processor has, two operations each, in 10⁹ a second.
func FMAGFlops(threads int) float64 { return fma().rate(threads) }

// DotGOPs is the rate of the widest int8 dot product this processor has, two
// operations per product, in 10⁹ a second.
func DotGOPs(threads int) float64 { return dot().rate(threads) }

// RoundedDotGFlops is the rate of the dot product of bfloat16, two operations per
// product, in 10⁹ a second: of multiply-adds where the processor has none.
func RoundedDotGFlops(threads int) float64 { return roundedDot().rate(threads) }

func (a arithmetic) rate(threads int) float64 {
	team := parallel.NewTeam(threads)
	defer team.Close()
	body := func(*parallel.Worker) {
		for range callCount {
			a.run(callLoops)
		}
	}
	return fastest(team, body, float64(threads)*callCount*callLoops*float64(a.work))
}

// fastest is amount ÷ time in 10⁹ a second, of the best round.
func fastest(team *parallel.Team, body func(*parallel.Worker), amount float64) float64 {
	best := 0.0
	for range rounds {
		start := time.Now()
		team.Run(body)
		best = max(best, amount/float64(time.Since(start).Nanoseconds()))
	}
	return best
}
