package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/runtime/report"
)

// Tolerances of relative errors, max|a−b| / max|b| over all positions.
const (
	evaluatorTolerance = 1e-5 // evaluator against another implementation
	programTolerance   = 2e-5 // program against the evaluator or a reference
)

// In fast math inputs of linears are rounded to whole numbers. While none has
// come nearer to the border between two than nearBorder steps, the tolerance
// holds. Behind it program and evaluator may round differently, which in a deep
// model spreads over all activations; then the error may be fastLooseness times
// what this rounding costs the evaluator itself.
const (
	nearBorder    = 1e-4
	fastLooseness = 3
)

// judgeRung fills in the comparison; a rung is passed when the error is within
// the tolerance and every greedy token is equal.
func judgeRung(r *report.Rung, got, want *expectation, tolerance float64) {
	r.LogitsError = relativeError(got.logits, want.logits)
	r.GreedyTotal = len(want.greedy)
	for i, id := range got.greedy {
		if i < len(want.greedy) && id == want.greedy[i] {
			r.GreedyEqual++
		}
	}
	if want.loose > 0 {
		r.OK = r.LogitsError <= max(want.loose, tolerance) && relativeError(got.logits[:want.sure], want.logits[:want.sure]) <= tolerance
		return
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
	Family  string            `json:"family"`
	Choices map[string]string `json:"choices,omitempty"` // what no config says
	Rungs   []report.Rung     `json:"rungs"`
	OK      bool              `json:"ok"`
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

// climb builds the program at a path, in a folder for a while, and takes every
// rung.
func (l *ladder) climb(ctx context.Context, path string, p progress) (*equivalence, error) {
	l.found = equivalence{Family: l.compiled.Family, Choices: l.compiled.chosen(), OK: true}
	var want *expectation
	err := during(p, "evaluate", 0, func(func(int64)) (err error) {
		want, err = l.evaluator(ctx)
		return err
	})
	if err == nil {
		err = l.choice.program(ctx, l.compiled, path, nil, p)
	}
	if err == nil {
		err = l.programs(ctx, path, want)
	}
	return &l.found, err
}

// evaluator takes the rungs without a program and returns what the program
// has to match: the reference, but what the evaluator makes of the rounded
// weights if the format rounds them, and of rounded activations in fast math.
func (l *ladder) evaluator(ctx context.Context) (*expectation, error) {
	exact, err := evaluate(ctx, eval.New, l.compiled.Module, l.ids, l.greedy)
	if err != nil {
		return nil, err
	}
	want := exact
	if l.reference != nil {
		want = l.reference
		l.add(report.Rung{Rung: "evaluator", By: "decode", Weights: "stored", Math: "exact"}, exact, want, evaluatorTolerance)
	}
	if !lossless(l.compiled.module) || l.compiled.math == "fast" {
		rounded, err := evaluate(ctx, eval.New, withCache(l.compiled.module, ""), l.ids, l.greedy)
		if err != nil {
			return nil, err
		}
		l.tell(report.Rung{Rung: "format", By: "decode", Weights: l.compiled.weights, Math: "exact"}, rounded, want)
		want = rounded
	}
	if narrowCache(l.compiled.cache) != "" {
		if want, err = l.cached(ctx, want); err != nil {
			return nil, err
		}
	}
	if l.compiled.math == "exact" {
		return want, nil
	}
	fast, err := evaluate(ctx, eval.NewFast, l.compiled.module, l.ids, l.greedy)
	if err != nil {
		return nil, err
	}
	cost := l.tell(report.Rung{Rung: "fast", By: "decode", Weights: l.compiled.weights, Math: "fast"}, fast, want)
	fast.loose = fastLooseness*cost + want.loose
	if want.loose > 0 {
		fast.sure = 0
	}
	return fast, nil
}

// cached is what an evaluator makes of keys and values in the format that the
// program keeps them in. The program may round one of them the other way, any
// time, where both hold numbers that differ by a rounding of float32: so it may
// differ by what all this rounding costs.
func (l *ladder) cached(ctx context.Context, exact *expectation) (*expectation, error) {
	x, err := evaluate(ctx, eval.New, l.compiled.module, l.ids, l.greedy)
	if err != nil {
		return nil, err
	}
	cost := l.tell(report.Rung{Rung: "cache", By: "decode", Weights: l.compiled.weights, Math: "exact", Cache: l.compiled.cache}, x, exact)
	x.sure, x.loose = 0, max(cost, programTolerance)
	return x, nil
}

// tell adds a rung that says what rounding costs, which is not judged.
func (l *ladder) tell(r report.Rung, got, want *expectation) (cost float64) {
	judgeRung(&r, got, want, math.Inf(1))
	r.OK = true
	l.found.Rungs = append(l.found.Rungs, r)
	return r.LogitsError
}

func (l *ladder) add(r report.Rung, got, want *expectation, tolerance float64) {
	judgeRung(&r, got, want, tolerance)
	l.found.Rungs = append(l.found.Rungs, r)
	l.found.OK = l.found.OK && r.OK
}

// programs takes the rungs of every level, by decode and by prefill, which must
// agree to the bit.
func (l *ladder) programs(ctx context.Context, path string, want *expectation) error {
	for _, level := range l.compiled.levels {
		if len(missingFeatures(level)) > 0 {
			continue // it cannot run here: choice.check has said so if it was asked for
		}
		program := program{path: path, folder: filepath.Dir(path), level: level}
		var other []float32
		for _, by := range []string{"decode", "prefill"} {
			got, err := program.observe(ctx, l.ids, l.greedy, by)
			if err != nil {
				return err
			}
			l.add(report.Rung{Rung: "program", CPU: level, By: by, Weights: l.compiled.weights, Math: l.compiled.math, Cache: narrowCache(l.compiled.cache)}, got, want, programTolerance)
			if other != nil && !slices.Equal(other, got.logits) {
				return fmt.Errorf("%s: level %s: logits by prefill have other bits than by decode", l.compiled.checkpoint.Path, level)
			}
			other = got.logits
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
	_, err := io.WriteString(c.out, report.FormatRungs(e.Rungs))
	return err
}
