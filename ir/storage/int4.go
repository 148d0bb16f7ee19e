package storage

import (
	"math"

	"github.com/mambac/mambac/ir/tensor"
)

// The int4 format: 16 values, closer together where weights are dense. They are
// the fixed point of Lloyd's algorithm on groups of 32 numbers of a normal
// distribution, each scaled so that its largest magnitude is the first value;
// scales have a sign for that.
func init() {
	register(&Coded{name: "int4", Group: 32, Width: 4, Values: int4Values, slack: 0.16, search: searchInt4})
}

var int4Values = []int8{-127, -100, -80, -63, -48, -35, -22, -10, 2, 14, 25, 37, 50, 65, 83, 108}

// int4Nearest is the code of the value nearest to i−128.
var int4Nearest = func() (table [257]uint8) {
	for i := range table {
		best := math.Inf(1)
		for code, v := range int4Values {
			if d := math.Abs(float64(int(v) - (i - 128))); d < best {
				best, table[i] = d, uint8(code)
			}
		}
	}
	return table
}()

// int4Ends are the values that the largest element of a group is tried on.
var int4Ends = []float32{-127, -119, -134, 108, 116, 100}

// searchInt4 tries the largest element at several values, and takes the scale
// with the least sum of squared errors.
func searchInt4(group []float32, codes []uint8) uint16 {
	most := float32(0)
	for _, v := range group {
		if math.Abs(float64(v)) > math.Abs(float64(most)) {
			most = v
		}
	}
	var scale uint16
	least := math.Inf(1)
	for _, end := range int4Ends {
		s := tensor.F32ToBF16(most / end)
		if e := int4Error(group, tensor.BF16ToF32(s)); e < least {
			least, scale = e, s
		}
	}
	inverse := 1 / tensor.BF16ToF32(scale)
	for i, v := range group {
		codes[i] = int4Code(v * inverse)
	}
	return scale
}

func int4Code(steps float32) uint8 {
	return int4Nearest[int(min(max(steps, -128), 128)+128.5)]
}

func int4Error(group []float32, scale float32) (sum float64) {
	inverse := 1 / scale
	for _, v := range group {
		d := v - scale*float32(int4Values[int4Code(v*inverse)])
		sum += float64(d) * float64(d)
	}
	return sum
}
