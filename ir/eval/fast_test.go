package eval_test

import (
	"math"
	"slices"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/tensor"
)

// coded is a module of one linear, with weights in a format.
func coded(t *testing.T, format string, columns int) (m *ir.Module, weights *ir.Param) {
	t.Helper()
	param := func(name, storage string, shape ...int) *ir.Param {
		return &ir.Param{Name: name, Shape: shape, DType: tensor.F32, Storage: storage}
	}
	b := build.New("mamba")
	b.Region("embed")
	x := b.Embed(b.Input(), param("embedding", "f32", 5, columns))
	weights = param("weights", format, 7, columns)
	m, err := b.Finish(b.Linear(x, weights, nil))
	if err != nil {
		t.Fatal(err)
	}
	irtest.Fill(m)
	return m, weights
}

// TestFast restates the products of codes in whole numbers, as kernels have
// them.
func TestFast(t *testing.T) {
	for _, format := range []string{"int8", "int4"} {
		m, weights := coded(t, format, 150)
		e, err := eval.NewFast(m)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := storage.LookupCoded(format)
		margin := 0.5
		for id := range 5 {
			got, err := e.Step(id)
			if err != nil {
				t.Fatal(err)
			}
			x := e.Value(m.Output.Args[0])
			for i, v := range got {
				want, nearest := product(t, c, row(t, weights, i), x)
				if math.Abs(float64(v)-want) > 1e-5 {
					t.Errorf("%s: row %d of id %d is %v, want %v", format, i, id, v, want)
				}
				margin = min(margin, nearest)
			}
			if math.Abs(e.Margin()-margin) > 1e-4 {
				t.Errorf("%s: margin %v, want %v", format, e.Margin(), margin)
			}
		}
		if e.Reset(); e.Margin() != 0.5 {
			t.Errorf("%s: margin %v after Reset", format, e.Margin())
		}
	}
}

// product is a sum over groups of inputs of their scale times whole numbers times
// weights, and how near an input comes to the border between two whole numbers.
func product(t *testing.T, c *storage.Coded, w, x []float32) (sum, nearest float64) {
	t.Helper()
	kept := slices.Clone(w)
	if err := c.Round(kept); err != nil {
		t.Fatal(err)
	}
	nearest = 0.5
	for lo := 0; lo < len(w); lo += 64 {
		hi := min(lo+64, len(w))
		most := 0.0
		for _, v := range x[lo:hi] {
			most = max(most, math.Abs(float64(v)))
		}
		for i := lo; i < hi; i++ {
			steps := float64(x[i]) / most * 127
			sum += float64(kept[i]) * math.RoundToEven(steps) * most / 127
			nearest = min(nearest, math.Abs(math.Abs(steps-math.Floor(steps))-0.5))
		}
	}
	return sum, nearest
}

func row(t *testing.T, p *ir.Param, i int) []float32 {
	t.Helper()
	values := make([]float32, p.Shape.Row())
	if err := p.Source.ReadRows(values, i, i+1); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestFastIsNewWithoutCodes: floats are multiplied as they are.
func TestFastIsNewWithoutCodes(t *testing.T) {
	m, _ := coded(t, "bf16", 150)
	e, err := eval.NewFast(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Run([]int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := irtest.RelativeError(append(got[0], got[1]...), irtest.Logits(t, m, []int{1, 2})); err != 0 || e.Margin() != 0.5 {
		t.Errorf("relative error %v, margin %v", err, e.Margin())
	}
}

// TestFastWithoutNumbers: what is no number stays none.
func TestFastWithoutNumbers(t *testing.T) {
	m, _ := coded(t, "int8", 70)
	m.Params[0].Source = &tensor.Dense{Shape: m.Params[0].Shape, Values: make([]float32, m.Params[0].Shape.Elements())}
	values := m.Params[0].Source.(*tensor.Dense).Values
	values[3] = float32(math.NaN())
	values[70+3] = float32(math.Inf(1))
	e, err := eval.NewFast(m)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := e.Run([]int{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, true, false} {
		if got := math.IsNaN(float64(rows[i][0])); got != want {
			t.Errorf("id %d gives %v", i, rows[i][0])
		}
	}
}
