package storage

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mambac/mambac/ir/tensor"
)

// Caches lists the formats in which keys and values are kept.
var Caches = []string{"f32", "f16", "int8"}

// CheckCache tells of a format that no cache has; nothing is f32.
func CheckCache(name string) error {
	if name != "" && !slices.Contains(Caches, name) {
		return fmt.Errorf("unknown cache format %q; known are %s", name, strings.Join(Caches, ", "))
	}
	return nil
}

// CacheBytes is what a row of some elements takes in a cache: in int8 every row
// has a scale beside it.
func CacheBytes(name string, elements int) int {
	switch name {
	case "f16":
		return 2 * elements
	case "int8":
		return elements + 4
	}
	return 4 * elements
}

// RoundCache replaces a row, the keys or values of one head and token, by what a
// cache keeps of it. f16 rounds to the nearest half, and what is beyond the
// largest becomes that. int8 has whole numbers within ±127 and a scale in bf16
// that makes the largest of them 127, 0 where it would be no normal number.
func RoundCache(name string, row []float32) {
	switch name {
	case "f16":
		const largest = 65504
		for i, v := range row {
			row[i] = tensor.F16ToF32(tensor.F32ToF16(min(max(v, -largest), largest)))
		}
	case "int8":
		scale := cacheScale(row)
		for i, v := range row {
			row[i] = 0
			if scale > 0 {
				row[i] = scale * float32(math.RoundToEven(float64(min(max(v/scale, -127), 127))))
			}
		}
	}
}

func cacheScale(row []float32) float32 {
	most := float32(0)
	for _, v := range row {
		if size := float32(math.Abs(float64(v))); size > most {
			most = size
		}
	}
	scale := tensor.BF16ToF32(tensor.F32ToBF16(min(most, math.MaxFloat32) / 127))
	if scale < 0x1p-126 {
		return 0
	}
	return scale
}
