package interp

import (
	"math"
	"testing"
)

// TestPairs: the cases in which the rounding of VDPBF16PS shows.
func TestPairs(t *testing.T) {
	pair := func(odd, even float32) uint32 { return math.Float32bits(odd) | math.Float32bits(even)>>16 }
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		name string
		sum  float32
		a, b uint32
		want float32
	}{
		{"two products", 1, pair(2, 3), pair(5, 7), 32},
		{"the upper halves first", 1, pair(0x1p30, -0x1p30), pair(1, 1), 0},
		{"each sum is rounded", 0x1p24, pair(1, 1), pair(1, 1), 0x1p24},
		{"ties go to even", 0x1p24 + 2, pair(1, 0), pair(1, 1), 0x1p24 + 4},
		{"denormal factors are zero", 0, pair(0x1p-130, 0), pair(0x1p100, 0), 0},
		{"denormal sums are zero", 0, pair(0x1p-70, 0), pair(0x1p-70, 0), 0},
		{"so is what comes in", 0x1p-130, pair(0, 0), pair(0, 0), 0},
		{"the least normal stays", 0, pair(0x1p-63, 0), pair(0x1p-63, 0), 0x1p-126},
		{"overflow", math.MaxFloat32, pair(0x1p127, 0), pair(1, 0), inf},
	} {
		if got := math.Float32frombits(multiplyPairs(math.Float32bits(c.sum), c.a, c.b)); got != c.want {
			t.Errorf("%s: have %g, want %g", c.name, got, c.want)
		}
	}
	if got := math.Float32frombits(multiplyPairs(0, pair(inf, 0), pair(0x1p-130, 0))); got == got {
		t.Errorf("infinity times a denormal number is %g, want NaN", got)
	}
}
