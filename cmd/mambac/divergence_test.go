package main

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mambac/mambac/runtime/report"
)

// probabilities is softmax as the textbook has it.
func probabilities(logits []float32) []float64 {
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v))
	}
	var p []float64
	for _, v := range logits {
		p = append(p, math.Exp(float64(v))/sum)
	}
	return p
}

// TestDivergence restates everything from probabilities.
func TestDivergence(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d divergence
	var got, want report.Comparison
	var a, b []float32
	for range 20 {
		x, y := row{logits: make([]float32, 50)}, row{logits: make([]float32, 50)}
		for i := range x.logits {
			y.logits[i] = float32(r.NormFloat64() * 3)
			x.logits[i] = y.logits[i] + float32(r.NormFloat64())
		}
		if err := errors.Join(x.measure(), y.measure()); err != nil {
			t.Fatal(err)
		}
		d.add(x, y)
		p, q := probabilities(y.logits), probabilities(x.logits)
		kl := 0.0
		for i := range p {
			kl += p[i] * math.Log(p[i]/q[i])
			if nll := -math.Log(q[i]); math.Abs(nll-x.nll(i)) > 1e-9 {
				t.Errorf("nll of %d is %v, want %v", i, x.nll(i), nll)
			}
		}
		want.MeanKL += kl / 20
		want.MaxKL = max(want.MaxKL, kl)
		if likeliest(x.logits) == likeliest(y.logits) {
			want.Top1Equal++
		}
		a, b = append(a, x.logits...), append(b, y.logits...)
	}
	d.into(&got)
	want.LogitsError, want.Positions = relativeError(a, b), 20
	if math.Abs(got.MeanKL-want.MeanKL) > 1e-9 || math.Abs(got.MaxKL-want.MaxKL) > 1e-9 {
		t.Errorf("divergence is %v, at most %v; want %v, %v", got.MeanKL, got.MaxKL, want.MeanKL, want.MaxKL)
	}
	if got.MeanKL, got.MaxKL = want.MeanKL, want.MaxKL; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if want.Top1Equal == 0 || want.Top1Equal == 20 {
		t.Errorf("%d rows of 20 agree: nothing is tested", want.Top1Equal)
	}
}

func TestDivergenceOfEqualRowsIsNothing(t *testing.T) {
	x := row{logits: []float32{1, 90, -90, 3e4}}
	if err := x.measure(); err != nil {
		t.Fatal(err)
	}
	var d divergence
	d.add(x, x)
	if d.sum != 0 || d.difference != 0 || d.equal != 1 {
		t.Errorf("%+v", d)
	}
}

func TestNoNumbers(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		r := row{logits: []float32{0, float32(v), 1}}
		if err := r.measure(); err == nil {
			t.Errorf("logits with %v have the sum %v", v, r.logSum)
		}
	}
}
