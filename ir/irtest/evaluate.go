package irtest

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/tensor"
)

// Fill gives every parameter without a source values that its name and shape
// determine: moderate ones, so that logits stay near 1, which the parameter's
// element type can hold.
func Fill(m *ir.Module) {
	for _, p := range m.Params {
		if p.Source == nil {
			p.Source = &tensor.Dense{Shape: p.Shape, Values: values(p)}
		}
	}
}

// values are uniform: ±1 for vectors and what is transformed, ±√(3/K) for the
// rows of matrices and the taps of convs, which keeps the variance.
func values(p *ir.Param) []float32 {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	r := rand.New(rand.NewPCG(h.Sum64(), uint64(p.Shape.Elements())))
	scale := 1.0
	if len(p.Shape) > 1 && p.Transform == ir.Identity {
		scale = math.Sqrt(3 / float64(max(p.Shape.Row(), 1)))
	}
	list := make([]float32, p.Shape.Elements())
	for i := range list {
		list[i] = rounded(float32(scale*(2*r.Float64()-1)), p.DType)
	}
	return list
}

func rounded(v float32, d tensor.DType) float32 {
	switch d {
	case tensor.BF16:
		return tensor.BF16ToF32(tensor.F32ToBF16(v))
	case tensor.F16:
		return tensor.F16ToF32(tensor.F32ToF16(v))
	}
	return v
}

// Logits evaluates one sequence; the rows of all tokens, one after the other.
func Logits(t *testing.T, m *ir.Module, ids []int) []float32 {
	t.Helper()
	e, err := eval.New(m)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := e.Run(ids)
	if err != nil {
		t.Fatal(err)
	}
	var all []float32
	for _, row := range rows {
		all = append(all, row...)
	}
	return all
}

// RelativeError is max|a−b| / max|b|; +Inf where lengths differ or a value is
// no number in one only.
func RelativeError(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	diff, scale := 0.0, 0.0
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		diff, scale = max(diff, d), max(scale, math.Abs(float64(b[i])))
	}
	if diff == 0 {
		return 0
	}
	return diff / scale
}
