package gguf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/mambac/mambac/ir/tensor"
)

// Type is the element type of a tensor; its number is that of the format.
type Type uint32

// The types that are written here.
const (
	F32  Type = 0
	F16  Type = 1
	Q8_0 Type = 8 // blocks of 32: a scale in float16, then int8
	BF16 Type = 30
)

// smallestStep is one whose inverse float32 has no number for.
const smallestStep = 0x1p-128

// quantised is how many values share a scale.
const quantised = 32

// String is the format's name of the type.
func (t Type) String() string {
	switch t {
	case F32:
		return "F32"
	case F16:
		return "F16"
	case Q8_0:
		return "Q8_0"
	case BF16:
		return "BF16"
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Block is how many values of a row are encoded together.
func (t Type) Block() int {
	if t == Q8_0 {
		return quantised
	}
	return 1
}

// Bytes is the length of n encoded values, whole blocks.
func (t Type) Bytes(n int64) int64 {
	switch t {
	case F32:
		return 4 * n
	case F16, BF16:
		return 2 * n
	case Q8_0:
		return n / quantised * (2 + quantised)
	}
	panic("BUG: " + t.String() + " is not written here")
}

// Append encodes values, whole blocks.
func (t Type) Append(b []byte, values []float32) []byte {
	le := binary.LittleEndian
	switch t {
	case F32:
		for _, v := range values {
			b = le.AppendUint32(b, math.Float32bits(v))
		}
	case F16:
		for _, v := range values {
			b = le.AppendUint16(b, tensor.F32ToF16(v))
		}
	case BF16:
		for _, v := range values {
			b = le.AppendUint16(b, tensor.F32ToBF16(v))
		}
	case Q8_0:
		for ; len(values) > 0; values = values[quantised:] {
			b = appendQ8(b, values[:quantised])
		}
	default:
		panic("BUG: " + t.String() + " is not written here")
	}
	return b
}

// appendQ8 encodes one block of finite values below 127 times what float16 holds:
// the largest magnitude becomes 127 steps, and halves are rounded away from zero,
// as llama.cpp does, so that both make the same bytes.
func appendQ8(b []byte, values []float32) []byte {
	largest := float32(0)
	for _, v := range values {
		largest = max(largest, float32(math.Abs(float64(v))))
	}
	step, inverse := largest/127, float32(0)
	if step > smallestStep {
		inverse = 1 / step
	}
	b = binary.LittleEndian.AppendUint16(b, tensor.F32ToF16(step))
	for _, v := range values {
		b = append(b, byte(int8(math.Round(float64(v*inverse)))))
	}
	return b
}
