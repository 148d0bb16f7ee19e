package pack

import (
	"encoding/binary"
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/ir/tensor"
)

// encoders packs n ≤ 48 rows of k columns as one zeroed panel.
var encoders = map[kernel.Storage]func(dst []byte, rows []float32, n, k int){
	kernel.F32:  encodeF32,
	kernel.F16:  func(dst []byte, rows []float32, n, k int) { encodePairs(kernel.F16, dst, rows, n, k, toF16) },
	kernel.BF16: func(dst []byte, rows []float32, n, k int) { encodePairs(kernel.BF16, dst, rows, n, k, toBF16) },
}

func toF16(dst []uint16, src []float32) {
	for i, v := range src {
		dst[i] = tensor.F32ToF16(v)
	}
}

func toBF16(dst []uint16, src []float32) {
	for i, v := range src {
		dst[i] = tensor.F32ToBF16(v)
	}
}

// encodeF32 stores the 48 rows of one k after those of the previous k. Eight
// columns at a time keep both sides in cache lines that are used whole.
func encodeF32(dst []byte, rows []float32, n, k int) {
	for lo := 0; lo < k; lo += 8 {
		hi := min(lo+8, k)
		for r := range n {
			for c, v := range rows[r*k+lo : r*k+hi] {
				binary.LittleEndian.PutUint32(dst[4*((lo+c)*kernel.PanelRows+r):], math.Float32bits(v))
			}
		}
	}
}

// encodePairs stores the columns of a row by pairs. Where the two of a pair lie is
// the same in all of them.
func encodePairs(s kernel.Storage, dst []byte, rows []float32, n, k int, narrow func(dst []uint16, src []float32)) {
	var run [16]uint16 // the last of an odd number of columns is paired with 0
	for lo := 0; lo < k; lo += len(run) {
		columns := min(len(run), k-lo)
		for r := range n {
			run[columns-1|1] = 0
			narrow(run[:], rows[r*k+lo:r*k+lo+columns])
			first, second := dst[2*s.Index(r, lo):], dst[2*s.Index(r, lo+1):]
			for c := 0; c < columns; c += 2 {
				at := c / 2 * kernel.UnitBytes
				binary.LittleEndian.PutUint16(first[at:], run[c])
				binary.LittleEndian.PutUint16(second[at:], run[c+1])
			}
		}
	}
}

func putFloats(dst []byte, src []float32) {
	for i, v := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
	}
}
