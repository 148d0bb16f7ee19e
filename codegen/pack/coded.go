package pack

import (
	"encoding/binary"
	"fmt"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/ir/storage"
)

// coded packs n ≤ 48 rows of k columns, from row lo of the parameter on, as one
// zeroed panel of codes and scales.
func (pw *packer) coded(dst []byte, s kernel.Storage, e storage.Encoder, lo, n, k int) error {
	format, _ := s.Coded()
	pw.codes, pw.scales = grow(pw.codes, k), grow(pw.scales, format.Scales(k))
	for r := range n {
		if err := e.Encode(pw.rows[r*k:(r+1)*k], pw.codes, pw.scales); err != nil {
			return fmt.Errorf("row %d, %w", lo+r, err)
		}
		place(dst, s, format, r, pw.codes, pw.scales)
	}
	return nil
}

// place puts the codes and scales of one row where kernels look for them.
func place(dst []byte, s kernel.Storage, format *storage.Coded, row int, codes []uint8, scales []uint16) {
	if format.Multiples {
		groups := len(scales) - 1
		put(dst[s.RowScaleIndex(row):], scales[groups])
		for g, multiple := range scales[:groups] {
			dst[s.ScaleIndex(row, g)] = byte(multiple)
		}
	} else {
		for g, scale := range scales {
			put(dst[s.ScaleIndex(row, g):], scale)
		}
	}
	unit := s.UnitColumns()
	for lo := 0; lo < len(codes); lo += format.Inputs {
		at, _ := s.CodeIndex(row, lo)
		for k := lo; k < min(lo+format.Inputs, len(codes)); k += 4 {
			four := dst[at+(k-lo)/unit*kernel.UnitBytes:][:4]
			bit := (k - lo) % unit / 4 * format.Width
			for c, code := range codes[k:min(k+4, len(codes))] {
				four[c] |= code << bit
			}
		}
	}
}

// put writes a bfloat16.
func put(dst []byte, v uint16) { binary.LittleEndian.PutUint16(dst, v) }
