package app

import (
	"math"
	"slices"
	"testing"
)

func TestLogSum(t *testing.T) {
	logits := make([]float32, 1000)
	want := 0.0
	for i := range logits {
		logits[i] = float32(i%37)*2.5 - 60
		want += math.Exp(float64(logits[i]))
	}
	if got := logSum(logits); math.Abs(got-math.Log(want)) > 1e-8 {
		t.Errorf("log sum %v, want %v", got, math.Log(want))
	}
	logits[500] = float32(math.NaN())
	if got := logSum(logits); !math.IsNaN(got) {
		t.Errorf("log sum with a NaN is %v", got)
	}
	if got := nll([]float32{0, -5000, 0}, 0); math.Abs(got-math.Ln2) > 1e-8 {
		t.Errorf("nll %v, want ln 2", got)
	}
}

func TestScorer(t *testing.T) {
	s, err := newScorer([]int{1, 2, 4})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		s.add(i, float64(i))
	}
	r, err := s.result(6)
	if err != nil || r.NLL != 2.5 || r.Tokens != 6 {
		t.Errorf("%+v, error %v", r, err)
	}
	want := []bucket{{1, 2, 1, 1}, {2, 4, 2.5, 2}, {4, 6, 4.5, 2}}
	if !slices.Equal(r.ByPosition, want) {
		t.Errorf("buckets %+v, want %+v", r.ByPosition, want)
	}
	if _, err := newScorer([]int{4, 4}); err == nil {
		t.Error("borders that do not ascend are accepted")
	}
	if _, err := (&scorer{}).result(0); err == nil {
		t.Error("no prediction gives a mean")
	}
}
