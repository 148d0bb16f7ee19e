package ladder

import (
	"fmt"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/op"
)

// tolerance is the relative error of logits against the evaluator on any rung
// (design.md §7).
const tolerance = 2e-5

// In fast math inputs are rounded to whole numbers. While none has come nearer
// to the border between two than nearBorder steps, the tolerance holds; behind
// it program and evaluator may have chosen differently, and the error may be
// looseness times what quantising costs the evaluator itself.
const (
	nearBorder = 1e-4
	looseness  = 3
)

// roundedTolerance bounds what inputs rounded to bf16 do, of which there is no
// oracle: so far that no part of the model can be missing.
const roundedTolerance = 0.25

// expectation is what the evaluator says of a case.
type expectation struct {
	logits []float32
	sure   int     // logits that hold to the tolerance: all in exact math
	loose  float64 // tolerance of the others
	input  string  // the case in words
	apart  bool    // v4b may differ from others in the last bits
}

// evaluate runs the module after its passes, which is what the levels compute
// from: the weights have their storage's precision in both, and in fast math
// the activations have that of narrow dot products.
func evaluate(m *ir.Module, math string, ids []int) (expectation, error) {
	e, err := eval.New(m)
	if err != nil {
		return expectation{}, err
	}
	exact, err := run(e, ids)
	if err == nil {
		err = exact.cached(m, ids)
	}
	if err != nil || math == "exact" {
		return exact, err
	}
	if e, err = eval.NewFast(m); err != nil {
		return expectation{}, err
	}
	fast, err := run(e, ids)
	fast.loose = looseness*irtest.RelativeError(fast.logits, exact.logits) + exact.loose
	if exact.loose > 0 {
		fast.sure = 0
	}
	return fast, err
}

// cached allows for keys and values that are rounded. A program may round one
// the other way, any time, where both hold numbers that differ by a rounding of
// float32: so it may differ by what all this rounding costs.
func (e *expectation) cached(m *ir.Module, ids []int) error {
	m, rounds := wideCaches(m)
	if !rounds {
		return nil
	}
	x, err := eval.New(m)
	if err != nil {
		return err
	}
	exact, err := run(x, ids)
	e.sure, e.loose = 0, max(irtest.RelativeError(e.logits, exact.logits), tolerance)
	return err
}

// wideCaches is a copy of a module that keeps keys and values as float32, and
// whether it did not.
func wideCaches(m *ir.Module) (wide *ir.Module, rounds bool) {
	wide = ir.Clone(m)
	for _, r := range wide.Regions {
		for _, v := range r.Body {
			if o, ok := v.Op.(op.Attention); ok && o.CacheFormat() != "f32" {
				o.Cache, rounds = "f32", true
				v.Op = o
			}
		}
	}
	return wide, rounds
}

func run(e *eval.Evaluator, ids []int) (x expectation, err error) {
	for _, id := range ids {
		row, err := e.Step(id)
		if err != nil {
			return x, err
		}
		x.logits = append(x.logits, row...)
		if e.Margin() >= nearBorder {
			x.sure = len(x.logits)
		}
	}
	return x, nil
}

// check compares logits of a program.
func (e expectation) check(logits []float32) error {
	if len(logits) != len(e.logits) {
		return fmt.Errorf("%d logits, want %d", len(logits), len(e.logits))
	}
	if err := irtest.RelativeError(logits[:e.sure], e.logits[:e.sure]); err > tolerance {
		return fmt.Errorf("relative error %.2g against the evaluator, want at most %g", err, tolerance)
	}
	if e.sure == len(logits) {
		return nil
	}
	if err := irtest.RelativeError(logits, e.logits); !(err <= e.loose) {
		return fmt.Errorf("relative error %.2g against the evaluator, want at most %.2g where inputs are rounded otherwise", err, e.loose)
	}
	return nil
}
