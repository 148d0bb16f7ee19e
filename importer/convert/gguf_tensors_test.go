package convert_test

import (
	"math"
	"testing"

	"github.com/mambac/mambac/importer/convert"
	"github.com/mambac/mambac/importer/gguf"
	"github.com/mambac/mambac/importer/gguf/gguftest"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// expected is a tensor of a file: what it holds before it is rounded, and
// whether it is of the type that was asked for, or float32 whatever that is.
type expected struct {
	shape  []int
	values []float32
	large  bool
	share  float64 // of the largest that one in float32 may be off
}

// small is a parameter in float32, in its own shape or another.
func small(t *testing.T, p *ir.Param, shape ...int) expected {
	t.Helper()
	if shape == nil {
		shape = p.Shape
	}
	return expected{shape, values(t, p), false, 0}
}

// large is a matrix in its own shape.
func large(t *testing.T, p *ir.Param) expected {
	t.Helper()
	return expected{p.Shape, values(t, p), true, 0}
}

// holdTensors compares files of every type with what they should hold.
func holdTensors(t *testing.T, s *convert.Source, want map[string]expected) {
	t.Helper()
	types := map[string]gguf.Type{"": gguf.F32, "f32": gguf.F32, "f16": gguf.F16, "bf16": gguf.BF16, "q8_0": gguf.Q8_0}
	for dtype, share := range map[string]float64{"": 0, "f32": 0, "f16": 1.0 / (1 << 11), "bf16": 1.0 / (1 << 8), "q8_0": 1.0 / 220} {
		f := readGGUF(t, s, dtype)
		if len(f.Tensors) != len(want) {
			t.Errorf("%q: %d tensors, want %d", dtype, len(f.Tensors), len(want))
		}
		for _, x := range f.Tensors {
			w, as := want[x.Name], gguf.F32
			if w.large {
				as = types[dtype]
			}
			if x.Type != as || !tensor.Shape(x.Shape).Equal(w.shape) {
				t.Errorf("%q: %s is %v %v, want %v %v", dtype, x.Name, x.Type, x.Shape, as, w.shape)
				continue
			}
			got, err := f.Floats(x.Name)
			if err != nil {
				t.Fatal(err)
			}
			if !w.large {
				difference(t, x.Name, got, w.values, w.share)
				continue
			}
			difference(t, x.Name, got, w.values, share)
		}
	}
}

// holdKeys compares what precedes the tensors; nil is a key that is not there.
func holdKeys(t *testing.T, f *gguftest.File, want map[string]any) {
	t.Helper()
	for key, value := range want {
		if f.Values[key] != value {
			t.Errorf("%s is %v, want %v", key, f.Values[key], value)
		}
	}
}

// negExp is what logarithms of A stand for.
func negExp(list []float32) []float32 {
	for i, v := range list {
		list[i] = float32(-math.Exp(float64(v)))
	}
	return list
}
