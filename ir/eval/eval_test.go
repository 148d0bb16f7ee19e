package eval_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/ir/text"
)

var _ = flag.Bool("update", false, "as all of ir takes it; nothing to rewrite here")

// sizes of the model that is computed twice.
const (
	vocab, hidden, inner, states, taps, rank = 11, 6, 10, 3, 4, 2
	eps                                      = 1e-5
)

// mamba1 is one layer of Mamba-1 (families.md §2 and §6) by way of the IR.
func mamba1(t *testing.T) *ir.Module {
	t.Helper()
	p := func(name string, shape ...int) *ir.Param {
		return &ir.Param{Name: name, Shape: shape, DType: tensor.F32}
	}
	a := p("A_log", inner, states)
	a.Transform = ir.NegExp
	b := build.New("mamba")
	b.Region("embed")
	x := b.Embed(b.Input(), p("embedding", vocab, hidden))
	b.Region("layers.0")
	uz := b.Split(b.Linear(b.RMSNorm(x, p("norm", hidden), eps), p("in_proj", 2*inner, hidden), p("in_bias", 2*inner)), inner, inner)
	u := b.SiLU(b.Conv(uz[0], p("conv", inner, 1, taps), p("conv_bias", inner), taps, b.State("conv", ir.Window, inner, taps-1)))
	dbc := b.Split(b.Linear(u, p("x_proj", rank+2*states, inner), nil), rank, states, states)
	delta := b.Softplus(b.Linear(dbc[0], p("dt_proj", inner, rank), p("dt_bias", inner)))
	y := b.Scan1(u, delta, dbc[1], dbc[2], a, p("D", inner), b.State("h", ir.Recurrence, inner, states))
	x = b.Add(x, b.Linear(b.Mul(y, b.SiLU(uz[1])), p("out_proj", hidden, inner), nil))
	b.Region("head")
	m, err := b.Finish(b.Linear(b.RMSNorm(x, p("norm_f", hidden), eps), p("head", vocab, hidden), nil))
	if err != nil {
		t.Fatal(err)
	}
	irtest.Fill(m)
	return m
}

// restated is the same model in closed form, over a whole sequence at once:
// no windows, no recurrence, all in float64.
type restated struct{ values map[string][]float32 }

func restate(t *testing.T, m *ir.Module) *restated {
	t.Helper()
	r := &restated{map[string][]float32{}}
	for _, p := range m.Params {
		v := make([]float32, p.Shape.Elements())
		if err := p.Source.ReadRows(v, 0, p.Shape.Rows()); err != nil {
			t.Fatal(err)
		}
		r.values[p.Name] = v
	}
	return r
}

func (r *restated) at(name string, i int) float64 { return float64(r.values[name][i]) }

// times is W·x plus a bias, if one is named.
func (r *restated) times(name string, x []float64, bias string) []float64 {
	y := make([]float64, len(r.values[name])/len(x))
	for i := range y {
		for j, v := range x {
			y[i] += r.at(name, i*len(x)+j) * v
		}
		if bias != "" {
			y[i] += r.at(bias, i)
		}
	}
	return y
}

func (r *restated) norm(x []float64, name string) []float64 {
	mean := 0.0
	for _, v := range x {
		mean += v * v / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v / math.Sqrt(mean+eps) * r.at(name, i)
	}
	return y
}

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

// logits of the last token of a sequence.
func (r *restated) logits(ids []int) []float64 {
	var x, u, z, delta, b, c [][]float64
	for t, id := range ids {
		row := make([]float64, hidden)
		for i := range row {
			row[i] = r.at("embedding", id*hidden+i)
		}
		x = append(x, row)
		uz := r.times("in_proj", r.norm(row, "norm"), "in_bias")
		u, z = append(u, uz[:inner]), append(z, uz[inner:])
		conv := r.convolved(u, t)
		dbc := r.times("x_proj", conv, "")
		d := r.times("dt_proj", dbc[:rank], "dt_bias")
		for i := range d {
			d[i] = math.Log(1 + math.Exp(d[i]))
		}
		delta, b, c = append(delta, d), append(b, dbc[rank:rank+states]), append(c, dbc[rank+states:])
	}
	last := len(ids) - 1
	y := make([]float64, inner)
	for e := range y {
		for s := range ids {
			us := r.convolved(u, s)[e]
			for n := range states {
				sum := 0.0 // of Δ after s: how much of s is left
				for t := s + 1; t <= last; t++ {
					sum += delta[t][e]
				}
				y[e] += c[last][n] * math.Exp(-sum*math.Exp(r.at("A_log", e*states+n))) * delta[s][e] * b[s][n] * us
			}
		}
		y[e] = (y[e] + r.at("D", e)*r.convolved(u, last)[e]) * silu(z[last][e])
	}
	out := r.times("out_proj", y, "")
	for i := range out {
		out[i] += x[last][i]
	}
	return r.times("head", r.norm(out, "norm_f"), "")
}

// convolved is silu of the causal convolution at token t.
func (r *restated) convolved(u [][]float64, t int) []float64 {
	y := make([]float64, inner)
	for e := range y {
		y[e] = r.at("conv_bias", e)
		for back := 0; back < taps && back <= t; back++ {
			y[e] += r.at("conv", e*taps+taps-1-back) * u[t-back][e]
		}
		y[e] = silu(y[e])
	}
	return y
}

var ids = []int{3, 0, 10, 3, 7, 7, 1, 9, 2, 5}

func TestMamba1Restated(t *testing.T) {
	m := mamba1(t)
	got, r := irtest.Logits(t, m, ids), restate(t, m)
	var want []float32
	for n := range ids {
		for _, v := range r.logits(ids[:n+1]) {
			want = append(want, float32(v))
		}
	}
	if e := irtest.RelativeError(got, want); e > 1e-6 {
		t.Errorf("logits differ by %g", e)
	}
}

// TestReset: a second sequence after Reset is as the first.
func TestReset(t *testing.T) {
	m := mamba1(t)
	e, err := eval.New(m)
	if err != nil {
		t.Fatal(err)
	}
	first, err := e.Run(ids)
	if err != nil {
		t.Fatal(err)
	}
	carried, err := e.Run(ids)
	if err != nil {
		t.Fatal(err)
	}
	e.Reset()
	again, err := e.Run(ids)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(first[0], carried[0]) {
		t.Error("nothing is carried from token to token")
	}
	for i := range first {
		if !slices.Equal(first[i], again[i]) {
			t.Fatalf("token %d differs after Reset", i)
		}
	}
}

// TestStorageNarrows: a chosen format rounds what is read.
func TestStorageNarrows(t *testing.T) {
	for _, c := range []struct {
		storage string
		want    float32
	}{{"", 1.0009766}, {"f32", 1.0009766}, {"f16", 1.0009766}, {"bf16", 1}} {
		p := &ir.Param{Name: "w", Shape: tensor.Shape{1, 1}, DType: tensor.F32, Storage: c.storage,
			Source: &tensor.Dense{Shape: tensor.Shape{1, 1}, Values: []float32{1.0009766}}}
		if got := irtest.Logits(t, lookup(t, p), []int{0}); got[0] != c.want {
			t.Errorf("storage %q gives %v, want %v", c.storage, got[0], c.want)
		}
	}
}

// lookup is the module that looks ids up in a parameter.
func lookup(t *testing.T, p *ir.Param) *ir.Module {
	t.Helper()
	b := build.New("m")
	b.Region("r")
	m, err := b.Finish(b.Embed(b.Input(), p))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type broken struct{}

func (broken) ReadRows([]float32, int, int) error { return errors.New("disk on fire") }

func TestErrors(t *testing.T) {
	param := func(s tensor.Source, storage string) *ir.Param {
		return &ir.Param{Name: "w", Shape: tensor.Shape{2, 2}, DType: tensor.F32, Storage: storage, Source: s}
	}
	dense := &tensor.Dense{Shape: tensor.Shape{2, 2}, Values: make([]float32, 4)}
	for _, c := range []struct {
		p    *ir.Param
		want string
	}{
		{param(nil, ""), "w: has no values: it was read from text, not from a checkpoint"},
		{param(broken{}, ""), "w: disk on fire"},
		{param(dense, "f8"), `w: unknown weight format "f8"; known are f32, f16, bf16, int8, int4`},
	} {
		if _, err := eval.New(lookup(t, c.p)); fmt.Sprint(err) != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	e, err := eval.New(lookup(t, param(dense, "")))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int{-1, 2, math.MaxInt} {
		if _, err := e.Step(id); fmt.Sprint(err) != fmt.Sprintf("token id %d is outside the vocabulary of 2", id) {
			t.Errorf("id %d: %v", id, err)
		}
	}
	m, err := text.Parse("module m\nparam @w [2 2] f32\ninput %i: id[T]\nregion r {\n%x: f32[T,3] = embed(%i) [@w]\n}\nreturn %x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := eval.New(m); err == nil {
		t.Error("a module that does not verify is evaluated")
	}
}
