package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/report"
)

func TestRelativeError(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{1, 2, 3}, []float32{1, 2, 4}, 0.25},
		{[]float32{-1}, []float32{-2}, 0.5},
		{[]float32{0.5}, []float32{0}, 0.5},
		{[]float32{1}, []float32{1, 2}, math.MaxFloat64},
		{[]float32{nan}, []float32{1}, math.MaxFloat64},
		{nil, nil, 0},
	} {
		if got := relativeError(c.a, c.b); got != c.want {
			t.Errorf("%v against %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	want := &expectation{logits: []float32{1, 2}, greedy: []int{5, 6, 7}}
	for _, c := range []struct {
		logits []float32
		greedy []int
		equal  int
		ok     bool
	}{
		{[]float32{1, 2}, []int{5, 6, 7}, 3, true},
		{[]float32{1, 2.00003}, []int{5, 6, 7}, 3, true},
		{[]float32{1, 2.00006}, []int{5, 6, 7}, 3, false},
		{[]float32{1, 2}, []int{5, 0, 7}, 2, false},
		{[]float32{1, 2}, []int{5, 6}, 2, false},
	} {
		var r report.Rung
		judgeRung(&r, &expectation{logits: c.logits, greedy: c.greedy}, want, programTolerance)
		if r.OK != c.ok || r.GreedyEqual != c.equal || r.GreedyTotal != 3 {
			t.Errorf("%v %v: %+v", c.logits, c.greedy, r)
		}
	}
}

func TestReportError(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx    context.Context
		err    error
		status int
		text   string
	}{
		{context.Background(), errors.New("a:\nb\x1b[2J"), exitFailure, "error: a: b [2J\n"},
		{context.Background(), usagef("no"), exitUsage, "error: no; see mambac x --help\n"},
		{context.Background(), fmt.Errorf("t: %w", &fs.PathError{Op: "open", Path: "p", Err: fs.ErrNotExist}), exitFailure, "error: t: p: file does not exist\n"},
		{ended, errors.New("whatever"), exitInterrupt, "error: interrupted; nothing was left behind\n"},
	} {
		var b strings.Builder
		if status := reportError(c.ctx, &b, "mambac x", c.err); status != c.status || b.String() != c.text {
			t.Errorf("%v: status %d, %q; want %d, %q", c.err, status, b.String(), c.status, c.text)
		}
	}
}
