package pass_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/ir/text"
)

// wide is a module whose matrices have columns enough to be narrowed, except
// the one that makes steps.
func wide(t *testing.T, recipe string) (*ir.Module, error) {
	t.Helper()
	return ofRank(8, recipe)
}

// ofRank is such a module whose steps are made of so many columns.
func ofRank(rank int, recipe string) (*ir.Module, error) {
	return pass.Run(irtest.Mamba(irtest.Sizes{Layers: 2, Vocab: 200, Hidden: 128, Inner: 160, States: 4, Rank: rank, Taps: 4, DType: tensor.BF16}), pass.Options{Storage: recipe})
}

// formats joins what the matrices of a kind are stored in.
func formats(m *ir.Module, suffix string) string {
	var list []string
	for _, p := range m.Params {
		if strings.HasSuffix(p.Name, suffix) {
			list = append(list, p.Storage)
		}
	}
	return strings.Join(list, " ")
}

// TestRecipes: with int4 what steers scans has 8 bits; rows that do not fill
// groups stay as they were stored.
func TestRecipes(t *testing.T) {
	for _, c := range []struct{ recipe, in, x, dt, out string }{
		{"int8", "int8 int8", "int8 int8", "bf16 bf16", "int8 int8"},
		{"int4", "int4 int4", "int8 int8", "bf16 bf16", "int4 int4"},
		{"bf16", "bf16 bf16", "bf16 bf16", "bf16 bf16", "bf16 bf16"},
	} {
		m, err := wide(t, c.recipe)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{formats(m, ".in_proj.weight"), formats(m, ".x_proj.weight"), formats(m, ".dt_proj.weight"), formats(m, ".out_proj.weight")}
		if want := []string{c.in, c.x, c.dt, c.out}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q, want %q", c.recipe, got, want)
		}
	}
}

// TestFewColumns: beside int4 a matrix of the step has 8 bits if its columns fill
// a quarter of a group, and else what it was stored in.
func TestFewColumns(t *testing.T) {
	for rank, want := range map[int]string{15: "bf16 bf16", 16: "int8 int8"} {
		m, err := ofRank(rank, "int4")
		if err != nil {
			t.Fatal(err)
		}
		if got := formats(m, ".dt_proj.weight"); got != want {
			t.Errorf("%d columns: %s, want %s", rank, got, want)
		}
	}
}

// TestSteering: a matrix steers a scan only if nobody else reads what it makes,
// and only by what is not the scan's signal or gate.
func TestSteering(t *testing.T) {
	const module = `module m
param @emb [3 128] bf16
param @step [128 128] bf16
param @shared [128 128] bf16
param @signal [128 128] bf16
param @head [3 128] bf16
param @A [128 64] f32 neg_exp
param @D [128] f32
state $h recurrence [128 64]
input %ids: id[T]
region r {
  %x: f32[T,128] = embed(%ids) [@emb]
  %s: f32[T,128] = linear(%x) [@step, none]
  %dt: f32[T,128] = softplus(%s)
  %bc: f32[T,128] = linear(%x) [@shared, none]
  %B: f32[T,64] = slice(%bc) {lo=0 hi=64}
  %C: f32[T,64] = slice(%bc) {lo=64 hi=128}
  %u: f32[T,128] = linear(%x) [@signal, none]
  %y: f32[T,128] = scan1(%u, %dt, %B, %C) [@A, @D, none] <$h> {states=64}
  %z: f32[T,128] = mul(%y, %bc)
  %l: f32[T,3] = linear(%z) [@head, none]
}
return %l
`
	m, err := text.Parse(module)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = pass.Run(m, pass.Options{Storage: "int4"}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"emb": "int4", "step": "int8", "shared": "int4", "signal": "int4", "head": "int4", "A": "f32", "D": "f32"}
	for _, p := range m.Params {
		if p.Storage != want[p.Name] {
			t.Errorf("%s is stored as %s, want %s", p.Name, p.Storage, want[p.Name])
		}
	}
}

// meanBits is the size of all parameters by the number of their elements.
func meanBits(t *testing.T, m *ir.Module) float64 {
	bits, n := 0.0, 0
	for _, p := range m.Params {
		f, err := storage.Lookup(p.Storage)
		if err != nil {
			t.Fatal(err)
		}
		bits += float64(f.RowBits(p.Shape.Row()) * p.Shape.Rows())
		n += p.Shape.Elements()
	}
	return bits / float64(n)
}

// TestBudget: the mean is kept and nearly reached, more bits never make a
// matrix's format worse for all, and each run chooses the same.
func TestBudget(t *testing.T) {
	least := 0.0
	for _, budget := range []float64{6.5, 7, 8, 9, 10, 12, 14, 20, 32} {
		recipe := fmt.Sprintf("auto:%g", budget)
		m, err := wide(t, recipe)
		if err != nil {
			t.Fatal(err)
		}
		mean := meanBits(t, m)
		if mean > budget || mean < least {
			t.Errorf("%s: %.3f bits for each weight, before %.3f", recipe, mean, least)
		}
		least = mean
		again, err := wide(t, recipe)
		if err != nil || formats(m, "weight") != formats(again, "weight") {
			t.Errorf("%s: %s, then %s (%v)", recipe, formats(m, "weight"), formats(again, "weight"), err)
		}
	}
	if m, err := wide(t, "auto:32"); err != nil || strings.Contains(formats(m, "weight"), "int") {
		t.Errorf("with bits enough: %s (%v)", formats(m, "weight"), err)
	}
}

func TestBudgetFails(t *testing.T) {
	for recipe, want := range map[string]string{
		"auto:":    "pass storage: auto:: want a number of bits for each weight, as in auto:5.5",
		"auto:nan": "pass storage: auto:nan: want a number of bits for each weight, as in auto:5.5",
		"auto:-1":  "pass storage: auto:-1: want a number of bits for each weight, as in auto:5.5",
		"auto:33":  "pass storage: auto:33: want a number of bits for each weight, as in auto:5.5",
		"auto:3":   "pass storage: auto:3: with the narrowest formats this model has ",
	} {
		if _, err := wide(t, recipe); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s…", recipe, err, want)
		}
	}
}
