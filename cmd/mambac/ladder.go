package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// Tolerances of relative errors, max|a−b| / max|b| over all positions.
const (
	evaluatorTolerance = 1e-5 // evaluator against another implementation
	programTolerance   = 2e-5 // program against the evaluator or a reference
)

// rung is one comparison of the ladder.
type rung struct {
	Rung        string  `json:"rung"` // evaluator, format or program
	CPU         string  `json:"cpu"`  // level; "" for the evaluator
	Weights     string  `json:"weights"`
	Math        string  `json:"math"`
	By          string  `json:"by"` // decode or prefill
	LogitsError float64 `json:"logits_error"`
	GreedyEqual int     `json:"greedy_equal"`
	GreedyTotal int     `json:"greedy_total"`
	OK          bool    `json:"ok"`
}

// judge fills in the comparison; a rung is passed when the error is within
// the tolerance and every greedy token is equal.
func (r *rung) judge(got, want *expectation, tolerance float64) {
	r.LogitsError = relativeError(got.logits, want.logits)
	r.GreedyTotal = len(want.greedy)
	for i, id := range got.greedy {
		if i < len(want.greedy) && id == want.greedy[i] {
			r.GreedyEqual++
		}
	}
	r.OK = r.LogitsError <= tolerance && r.GreedyEqual == r.GreedyTotal
}

// relativeError is max|a−b| / max|b|; the largest number if lengths differ
// or a value is none.
func relativeError(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.MaxFloat64
	}
	diff, scale := 0.0, 0.0
	for i := range b {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(d) {
			return math.MaxFloat64
		}
		diff, scale = max(diff, d), max(scale, math.Abs(float64(b[i])))
	}
	if scale == 0 {
		return diff
	}
	return diff / scale
}

// lossless reports whether every parameter keeps all that the checkpoint
// stored.
func lossless(m *ir.Module) bool {
	for _, p := range m.Params {
		switch p.Storage {
		case "", p.DType.String():
		case "f32":
			if p.DType == tensor.F64 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// equivalence is what the ladder found: verify --json, and the report of a
// build.
type equivalence struct {
	Family string `json:"family"`
	Rungs  []rung `json:"rungs"`
	OK     bool   `json:"ok"`
}

// ladder compares, one rung on the other: evaluator with a reference, the
// program at every level with both.
type ladder struct {
	choice    *choice
	compiled  *compiled
	reference *expectation // nil: the evaluator is the reference
	ids       []int        // fed to all
	greedy    int          // tokens to go on for
	found     equivalence
}

// climb builds the program in a folder for a while and takes every rung.
func (l *ladder) climb(ctx context.Context, p progress) (*equivalence, error) {
	l.found = equivalence{Family: l.compiled.Family, OK: true}
	var want *expectation
	err := during(p, "evaluate", 0, func(func(int64)) (err error) {
		want, err = l.evaluator(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = scratch(func(folder string) error { return l.programs(ctx, folder, want, p) })
	return &l.found, err
}

// evaluator takes the rungs without a program and returns what the program
// has to match: the reference, but what the evaluator makes of the rounded
// weights if the format rounds them.
func (l *ladder) evaluator(ctx context.Context) (*expectation, error) {
	exact, err := evaluate(ctx, l.compiled.Module, l.ids, l.greedy)
	if err != nil {
		return nil, err
	}
	want := exact
	if l.reference != nil {
		want = l.reference
		l.add(rung{Rung: "evaluator", By: "decode", Weights: "stored"}, exact, want, evaluatorTolerance)
	}
	if lossless(l.compiled.module) {
		return want, nil
	}
	rounded, err := evaluate(ctx, l.compiled.module, l.ids, l.greedy)
	if err != nil {
		return nil, err
	}
	r := rung{Rung: "format", By: "decode", Weights: l.compiled.weights}
	r.judge(rounded, want, math.Inf(1))
	r.OK = true // what rounding costs is told, not judged
	l.found.Rungs = append(l.found.Rungs, r)
	return rounded, nil
}

func (l *ladder) add(r rung, got, want *expectation, tolerance float64) {
	r.Math = l.compiled.math
	r.judge(got, want, tolerance)
	l.found.Rungs = append(l.found.Rungs, r)
	l.found.OK = l.found.OK && r.OK
}

// programs takes the rungs of every level, by decode and by prefill.
func (l *ladder) programs(ctx context.Context, folder string, want *expectation, p progress) error {
	path := filepath.Join(folder, executableName("model"))
	if err := l.choice.program(ctx, l.compiled, path, nil, p); err != nil {
		return err
	}
	for _, level := range l.compiled.levels {
		if len(missingFeatures(level)) > 0 {
			continue // it cannot run here: choice.check has said so if it was asked for
		}
		program := program{path: path, folder: folder, level: level}
		for _, by := range []string{"decode", "prefill"} {
			got, err := program.observe(ctx, l.ids, l.greedy, by)
			if err != nil {
				return err
			}
			l.add(rung{Rung: "program", CPU: level, By: by, Weights: l.compiled.weights}, got, want, programTolerance)
		}
	}
	return nil
}

// failed counts the rungs that are not ok.
func (e *equivalence) failed() int {
	n := 0
	for _, r := range e.Rungs {
		if !r.OK {
			n++
		}
	}
	return n
}

// print shows the rungs for reading.
func (e *equivalence) print(c *console) error {
	t := &table{}
	t.text("%-10s %-8s %-8s %-8s %10s  %-7s", "rung", "cpu", "weights", "by", "error", "greedy")
	for _, r := range e.Rungs {
		verdict := "ok"
		if !r.OK {
			verdict = "FAILED"
		}
		greedy := fmt.Sprintf("%d/%d", r.GreedyEqual, r.GreedyTotal)
		t.text("%-10s %-8s %-8s %-8s %10.2e  %-7s %s", r.Rung, orDash(r.CPU), r.Weights, r.By, r.LogitsError, greedy, verdict)
	}
	return t.print(c.out)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
