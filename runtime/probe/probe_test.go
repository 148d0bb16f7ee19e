package probe

import (
	"runtime"
	"testing"
)

// TestLoopsRun calls every loop that this processor has on small work.
func TestLoopsRun(t *testing.T) {
	b := make([]byte, 4096)
	for _, read := range append(readers(), readGeneric) {
		read(b)
		read(b[:0])
	}
	for _, a := range []arithmetic{fma(), dot(), genericFMA, genericDot} {
		a.run(100)
		a.run(0)
		if a.work <= 0 {
			t.Errorf("a loop of %d operations", a.work)
		}
	}
}

// TestReadStaysInside places the memory at the very end of a mapping's page.
func TestReadStaysInside(t *testing.T) {
	memory, release, err := hugePages(1 << 21)
	if err != nil {
		t.Skip(err)
	}
	defer release()
	for _, read := range readers() {
		read(memory[len(memory)-512:])
	}
}

func TestEstimate(t *testing.T) {
	read, err := EstimateReadGBs(1)
	if err != nil {
		t.Skip(err)
	}
	if !(read > 0) {
		t.Errorf("reads %v GB/s", read)
	}
}

func TestLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 1 GiB")
	}
	for threads := 1; threads <= min(2, runtime.NumCPU()); threads++ {
		read, err := ReadGBs(threads)
		if err != nil {
			t.Skip(err)
		}
		fma, dot := FMAGFlops(threads), DotGOPs(threads)
		t.Logf("%d threads: read %.1f GB/s, fma %.0f GFLOP/s, dot %.0f GOP/s", threads, read, fma, dot)
		if !(read > 0) || !(fma > 0) || !(dot > 0) {
			t.Errorf("%d threads: read %v GB/s, fma %v GFLOP/s, dot %v GOP/s", threads, read, fma, dot)
		}
	}
}
