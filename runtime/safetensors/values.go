package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Floats reads the values of a small F32 tensor of the file.
func (f *File) Floats(t Tensor) ([]float32, error) {
	raw, err := f.raw(t, "F32")
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(raw)/4)
	DecodeFloats(values, raw)
	return values, nil
}

// DecodeFloats gives the values of bytes of an F32 tensor, four for each of dst.
func DecodeFloats(dst []float32, raw []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
}

// Ints reads the values of a small I32 or I64 tensor of the file.
func (f *File) Ints(t Tensor) ([]int64, error) {
	raw, err := f.raw(t, "I32", "I64")
	if err != nil {
		return nil, err
	}
	values := make([]int64, t.Elements())
	for i := range values {
		if t.DType == "I32" {
			values[i] = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
		} else {
			values[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		}
	}
	return values, nil
}

// raw reads a tensor of one of the types wanted.
func (f *File) raw(t Tensor, want ...string) ([]byte, error) {
	for _, dtype := range want {
		if t.DType == dtype {
			raw := make([]byte, t.End-t.Begin)
			return raw, readFull(f.r, raw, t.Begin)
		}
	}
	return nil, fmt.Errorf("%s: have %s, want %v", quote(t.Name), t.DType, want)
}
