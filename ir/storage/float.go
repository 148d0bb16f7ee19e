package storage

import (
	"math"

	"github.com/mambac/mambac/ir/tensor"
)

func init() {
	register(float{tensor.F32, func(v float32) float32 { return v }, 0, 0})
	register(float{tensor.F16, func(v float32) float32 { return tensor.F16ToF32(tensor.F32ToF16(v)) }, 0x1p-11, 0x1p-25})
	register(float{tensor.BF16, func(v float32) float32 { return tensor.BF16ToF32(tensor.F32ToBF16(v)) }, 0x1p-8, 0x1p-134})
}

// float keeps every value by itself, rounded to the nearest number.
type float struct {
	dtype tensor.DType
	round func(float32) float32
	// relative and absolute bound the error of numbers that do not overflow.
	relative, absolute float64
}

func (f float) Name() string  { return f.dtype.String() }
func (f float) Bits() float64 { return float64(f.RowBits(1)) }

func (f float) RowBits(columns int) int { return 8 * f.dtype.Size() * columns }

func (f float) Round(row []float32) error {
	for i, v := range row {
		row[i] = f.round(v)
	}
	return nil
}

func (f float) Bound(row []float32) float64 {
	most := 0.0
	for _, v := range row {
		most = max(most, math.Abs(float64(v)))
	}
	return most*f.relative + f.absolute
}
