package amd64_test

import (
	"math"
	"testing"

	"github.com/mambac/mambac/codegen/amd64/interp"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// TestMultiplesAreExact: on every level each code of int4 times each multiple is the
// product of two whole numbers.
func TestMultiplesAreExact(t *testing.T) {
	const multiples, panels = 255, 6 // of 48 rows, one multiple each
	format, _ := kernel.Int4.Coded()
	spec := kernel.DotGemv{Storage: kernel.Int4, K: format.Group}
	row, size := kernel.Int4.QuantisedRow(spec.K), kernel.Int4.PanelElements(spec.K)
	w := make([]uint8, panels*size)
	for i := range multiples {
		panel := w[i/kernel.PanelRows*size:]
		r := i % kernel.PanelRows
		panel[kernel.Int4.RowScaleIndex(r)], panel[kernel.Int4.RowScaleIndex(r)+1] = 0x80, 0x3f // 1
		panel[kernel.Int4.ScaleIndex(r, 0)] = uint8(int8(i - multiples/2))
		for code := range format.Values {
			at, bit := kernel.Int4.CodeIndex(r, code)
			panel[at] |= uint8(code) << bit
		}
	}
	for _, level := range []string{"v3", "v4", "v4n"} {
		b, _ := target.Lookup(level)
		f, err := interp.Open(compiled(t, b, spec))
		if err != nil {
			t.Fatal(err)
		}
		for code, value := range format.Values {
			x := make([]float32, row.Floats) // 1 in the column that has this code
			x[code/4] = math.Float32frombits(1 << (code % 4 * 8))
			x[row.Bytes.Sums/4] = math.Float32frombits(0xffff) // −1 for the first multiple
			x[row.Bytes.Scale/4] = 1
			y, scratch := make([]float32, panels*kernel.PanelRows), make([]float32, kernel.PanelRows)
			if err := f.Run(target.FuncName(spec, level), y, w, x, scratch, panels); err != nil {
				t.Fatal(err)
			}
			for i, got := range y[:multiples] {
				if want := int(value) * (i - multiples/2); got != float32(want) {
					t.Fatalf("%s: %d times %d is %v", level, value, i-multiples/2, got)
				}
			}
		}
	}
}
