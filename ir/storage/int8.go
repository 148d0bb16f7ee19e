package storage

import "github.com/mambac/mambac/ir/tensor"

// The int8 format: evenly spaced, from −127 to 127; −128 is a code that nobody
// uses.
func init() {
	c := &Coded{name: "int8", Group: 64, Inputs: 64, Width: 8, slack: 0.5/127 + 0x1p-7/127, fit: fitInt8, nearest: nearestInt8}
	for code := range 256 {
		c.Values = append(c.Values, int8(code-int8Zero))
	}
	register(c)
}

const (
	int8Most = 127
	int8Zero = 128 // the code of 0
)

// fitInt8 makes the largest magnitude the last code: with so many steps no
// other scale is better by much.
func fitInt8(_ []float32, most float32) float32 {
	return tensor.BF16ToF32(roundUp(magnitude(most) / int8Most))
}

func nearestInt8(units float32) uint8 {
	switch {
	case units > int8Most:
		return int8Zero + int8Most
	case units < -int8Most:
		return int8Zero - int8Most
	}
	return uint8(int(float64(units) + (int8Zero + 0.5))) // positive: truncated to the code below
}
