package checkpoint

import (
	"encoding/binary"
	"math"

	"github.com/mambac/mambac/ir/tensor"
)

// widen converts len(dst) little-endian elements to float32.
func widen(dst []float32, raw []byte, dtype tensor.DType) {
	le := binary.LittleEndian
	switch dtype {
	case tensor.F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
		}
	case tensor.BF16:
		for i := range dst {
			dst[i] = tensor.BF16ToF32(le.Uint16(raw[2*i:]))
		}
	case tensor.F16:
		for i := range dst {
			dst[i] = tensor.F16ToF32(le.Uint16(raw[2*i:]))
		}
	case tensor.F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(raw[8*i:])))
		}
	default:
		widenIntegers(dst, raw, dtype)
	}
}

func widenIntegers(dst []float32, raw []byte, dtype tensor.DType) {
	le := binary.LittleEndian
	for i := range dst {
		switch dtype {
		case tensor.I64:
			dst[i] = float32(int64(le.Uint64(raw[8*i:])))
		case tensor.I32:
			dst[i] = float32(int32(le.Uint32(raw[4*i:])))
		case tensor.I16:
			dst[i] = float32(int16(le.Uint16(raw[2*i:])))
		case tensor.I8:
			dst[i] = float32(int8(raw[i]))
		case tensor.U8, tensor.Bool:
			dst[i] = float32(raw[i])
		default:
			panic("BUG: no conversion from " + dtype.String())
		}
	}
}
