package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// param makes a parameter whose element i has the value i+1, which every
// format here holds exactly.
func param(shape ...int) *ir.Param {
	d := &tensor.Dense{Shape: shape, Values: make([]float32, tensor.Shape(shape).Elements())}
	for i := range d.Values {
		d.Values[i] = float32(i%200 + 1)
	}
	return &ir.Param{Name: "w", Shape: shape, DType: tensor.F32, Source: d}
}

func write(t *testing.T, w *plan.Weight) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(context.Background(), &b, &plan.Plan{Weights: []*plan.Weight{w}, Bytes: w.Bytes()}, nil); err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != w.Bytes() {
		t.Fatalf("wrote %d bytes, planned %d", b.Len(), w.Bytes())
	}
	return b.Bytes()
}

// TestPanels reads every packed element back through kernel.Storage.Index.
func TestPanels(t *testing.T) {
	const rows, k = 61, 7
	for _, s := range []kernel.Storage{kernel.F32, kernel.F16, kernel.BF16} {
		p := param(rows, k)
		slot := plan.Slot{Layout: plan.Panels, Storage: s, Segments: []int{50, 11}, Columns: k}
		slot.Elements = 3 * s.PanelElements(k)
		got := write(t, &plan.Weight{Slot: slot, Param: p})
		for r := range rows {
			at := r
			if r >= 50 {
				at = 96 + r - 50
			}
			for c := range k {
				i := at/48*s.PanelElements(k) + s.Index(at%48, c)
				want := p.Source.(*tensor.Dense).Values[r*k+c]
				if have := element(got, s, i); have != want {
					t.Fatalf("%s (%d,%d): have %v, want %v", s, r, c, have, want)
				}
			}
		}
	}
}

// TestCodedPanels reads every code and scale back through the indices of
// kernel.Storage, in groups that columns fill, or not, and as odd a number of them.
func TestCodedPanels(t *testing.T) {
	const rows, k = 53, 150
	for _, s := range []kernel.Storage{kernel.Int8, kernel.Int4} {
		format, _ := s.Coded()
		p := param(rows, k)
		slot := plan.Slot{Layout: plan.Panels, Storage: s, Segments: []int{rows}, Columns: k, Elements: 2 * s.PanelElements(k)}
		got := write(t, &plan.Weight{Slot: slot, Param: p})
		codes, scales := make([]uint8, k), make([]uint16, format.Scales(k))
		for r := range rows {
			panel, in := got[r/48*s.PanelElements(k):], r%48
			if err := format.Encode(p.Source.(*tensor.Dense).Values[r*k:(r+1)*k], codes, scales); err != nil {
				t.Fatal(err)
			}
			for c, want := range codes {
				at, bit := s.CodeIndex(in, c)
				if have := panel[at] >> bit & (1<<format.Width - 1); have != want {
					t.Fatalf("%s (%d,%d): have code %d, want %d", s, r, c, have, want)
				}
			}
			for g, want := range scales {
				if have := scaleOf(panel, s, in, g, format.Groups(k)); have != want {
					t.Fatalf("%s row %d, scale %d: have %#x, want %#x", s, r, g, have, want)
				}
			}
		}
	}
}

// scaleOf is an entry of the scales of a row: of int4 multiples, and behind those
// of all groups the row's own.
func scaleOf(panel []byte, s kernel.Storage, row, g, groups int) uint16 {
	switch {
	case s == kernel.Int8:
		return binary.LittleEndian.Uint16(panel[s.ScaleIndex(row, g):])
	case g < groups:
		return uint16(panel[s.ScaleIndex(row, g)])
	}
	return binary.LittleEndian.Uint16(panel[s.RowScaleIndex(row):])
}

func element(b []byte, s kernel.Storage, i int) float32 {
	switch s {
	case kernel.F16:
		return tensor.F16ToF32(binary.LittleEndian.Uint16(b[2*i:]))
	case kernel.BF16:
		return tensor.BF16ToF32(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
}

func TestSmallLayouts(t *testing.T) {
	p := param(50, 1, 3)
	p.Transform = ir.NegExp
	for layout, at := range map[plan.Layout]func(r, c int) int{
		plan.Taps:  func(r, c int) int { return c*96 + r },
		plan.Lanes: func(r, c int) int { return r/16*48 + c*16 + r%16 },
	} {
		slot := plan.Slot{Layout: layout, Storage: kernel.F32, Segments: []int{50}, Columns: 3, Elements: 96 * 3}
		got := write(t, &plan.Weight{Slot: slot, Param: p})
		for r := range 50 {
			for c := range 3 {
				v := p.Source.(*tensor.Dense).Values[r*3+c]
				want := float32(-math.Exp(float64(v)))
				if have := element(got, kernel.F32, at(r, c)); have != want {
					t.Fatalf("%s (%d,%d): have %v, want %v", layout, r, c, have, want)
				}
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	slot := plan.Slot{Layout: plan.Panels, Storage: kernel.F32, Segments: []int{1}, Columns: 1, Elements: 48}
	w := &plan.Weight{Slot: slot, Param: param(1, 1)}
	if err := Write(ctx, &bytes.Buffer{}, &plan.Plan{Weights: []*plan.Weight{w}}, nil); err == nil {
		t.Error("a cancelled context does not stop the packing")
	}
}
