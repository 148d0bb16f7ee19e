package storage

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRoundCacheTwice: what a cache has kept, it keeps; a state that is written
// to a file and read again is the same.
func TestRoundCacheTwice(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, name := range Caches {
		for range 2000 {
			row := make([]float32, 1+r.IntN(70))
			by := math.Ldexp(1+r.Float64(), r.IntN(240)-130)
			for i := range row {
				row[i] = float32(r.NormFloat64() * by)
			}
			RoundCache(name, row)
			again := slices.Clone(row)
			RoundCache(name, again)
			if !slices.Equal(row, again) {
				t.Fatalf("%s: %v becomes %v", name, row, again)
			}
		}
	}
}

// TestRoundCacheIsNear: normal numbers move by half a step at most: of f16 a
// share of the number, of int8 of the largest of the row.
func TestRoundCacheIsNear(t *testing.T) {
	for i, row := range rows() {
		most := 0.0
		for _, v := range row {
			most = max(most, math.Abs(float64(v)))
		}
		for name, bound := range map[string]func(v float64) float64{
			"f32":  func(float64) float64 { return 0 },
			"f16":  func(v float64) float64 { return math.Abs(v)*0x1p-11 + 0x1p-25 },
			"int8": func(float64) float64 { return most/254*(1+0x1p-8) + 0x1p-119 },
		} {
			kept := slices.Clone(row)
			RoundCache(name, kept)
			for c, v := range kept {
				if d := math.Abs(float64(v) - float64(row[c])); !(d <= bound(float64(row[c]))) {
					t.Errorf("%s: row %d: %v becomes %v", name, i, row[c], v)
				}
			}
		}
	}
}

// TestRoundCacheStaysFinite: whatever a model computes, a cache holds numbers
// that weigh nothing where they are not looked at.
func TestRoundCacheStaysFinite(t *testing.T) {
	for _, name := range Caches[1:] {
		row := []float32{math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), 1}
		RoundCache(name, row)
		for _, v := range row {
			if math.IsInf(float64(v), 0) || v != v {
				t.Errorf("%s: %v", name, row)
			}
		}
	}
}

func TestCheckCache(t *testing.T) {
	for _, name := range append(slices.Clone(Caches), "") {
		if err := CheckCache(name); err != nil {
			t.Error(err)
		}
	}
	if CheckCache("bf16") == nil {
		t.Error("bf16 is a format of caches")
	}
}
