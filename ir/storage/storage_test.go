package storage

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var _ = flag.Bool("update", false, "as all of ir takes it; nothing to rewrite here")

// rows are values of many kinds and lengths that every format can keep.
func rows() [][]float32 {
	r := rand.New(rand.NewPCG(1, 2))
	normal := func(n int, by float64) []float32 {
		row := make([]float32, n)
		for i := range row {
			row[i] = float32(r.NormFloat64() * by)
		}
		return row
	}
	spike := normal(200, 0.01)
	spike[70] = 40
	return [][]float32{
		{}, {0}, {1}, {-1}, {0, 0, 0}, {1e-38, -1e-38}, {6e4, -6e4, 1e-3},
		normal(1, 1), normal(31, 1), normal(64, 1e-3), normal(65, 1), normal(777, 100), spike, make([]float32, 130),
	}
}

// TestRoundIsWithinBound: no value moves further than the format says, and
// rounding twice is rounding once where every value is kept by itself.
func TestRoundIsWithinBound(t *testing.T) {
	for _, name := range Names() {
		f, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows() {
			kept := slices.Clone(row)
			if err := f.Round(kept); err != nil {
				t.Fatalf("%s: row %d: %v", name, i, err)
			}
			for c, v := range kept {
				if d := math.Abs(float64(v) - float64(row[c])); !(d <= f.Bound(row)) {
					t.Errorf("%s: row %d: %v becomes %v, want within %v", name, i, row[c], v, f.Bound(row))
				}
			}
		}
	}
}

// TestCodesAreOfTheirWidth: codes fit their bits, scales are finite, and what
// codes stand for is what Round keeps.
func TestCodesAreOfTheirWidth(t *testing.T) {
	for _, name := range Names() {
		c, ok := LookupCoded(name)
		if !ok {
			continue
		}
		for _, row := range rows() {
			codes, scales := make([]uint8, len(row)), make([]uint16, c.Scales(len(row)))
			if err := c.Encode(row, codes, scales); err != nil {
				t.Fatal(err)
			}
			for _, code := range codes {
				if int(code) >= 1<<c.Width || int(code) >= len(c.Values) {
					t.Fatalf("%s: code %d", name, code)
				}
			}
			decoded, rounded := make([]float32, len(row)), slices.Clone(row)
			c.Decode(decoded, codes, scales)
			if err := c.Round(rounded); err != nil || !slices.Equal(decoded, rounded) {
				t.Errorf("%s: %v is kept as %v, and codes say %v (%v)", name, row, rounded, decoded, err)
			}
		}
	}
}

// TestNoNumber: formats with scales refuse what has no code.
func TestNoNumber(t *testing.T) {
	for _, name := range Names() {
		c, ok := LookupCoded(name)
		if !ok {
			continue
		}
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if err := c.Round([]float32{1, float32(v)}); err == nil {
				t.Errorf("%s keeps %v", name, v)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	want := []string{"f32", "f16", "bf16", "int8", "int4"}
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("formats are %v, want %v", got, want)
	}
	if _, err := Lookup("int3"); err == nil {
		t.Error("int3 is a format")
	}
}
