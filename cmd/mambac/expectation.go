package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/runtime/safetensors"
)

// expectation is what a rung is held against: logits after every id, and the
// ids that follow when the likeliest is always taken.
type expectation struct {
	ids, greedy []int
	logits      []float32 // [len(ids), vocabulary]
	vocabulary  int

	// In fast math some of the logits, the first, hold to the tolerance of
	// programs and the others to a loose one. Greedy tokens are told only.
	sure  int
	loose float64 // 0 in exact math
}

// seededIDs are the tokens of a check without reference.
func seededIDs(seed uint64, n, vocabulary int) []int {
	r := rand.New(rand.NewPCG(seed, 0))
	ids := make([]int, n)
	for i := range ids {
		ids[i] = r.IntN(vocabulary)
	}
	return ids
}

// evaluate runs an evaluator over ids and then greedily for n more.
func evaluate(ctx context.Context, oracle func(*ir.Module) (*eval.Evaluator, error), m *ir.Module, ids []int, n int) (*expectation, error) {
	e, err := oracle(m)
	if err != nil {
		return nil, err
	}
	x := &expectation{ids: ids, vocabulary: m.Output.Type.Width}
	var last []float32
	for i := 0; i < len(ids)+n; i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		id := 0
		if i < len(ids) {
			id = ids[i]
		} else {
			id = likeliest(last)
			x.greedy = append(x.greedy, id)
		}
		if last, err = e.Step(id); err != nil {
			return nil, err
		}
		if i < len(ids) {
			x.logits = append(x.logits, last...)
			if e.Margin() >= nearBorder {
				x.sure = len(x.logits)
			}
		}
	}
	return x, nil
}

// likeliest is the first index of the largest value.
func likeliest(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	return best
}

// readReference reads input_ids, logits and, if it is there, greedy of a file
// of golden outputs.
func readReference(path string) (*expectation, error) {
	x := &expectation{}
	err := readTensors(path, func(f *safetensors.File) error {
		var err error
		if x.ids, err = readInts(f, "input_ids"); err != nil {
			return err
		}
		if _, ok := f.Tensor("greedy"); ok {
			if x.greedy, err = readInts(f, "greedy"); err != nil {
				return err
			}
		}
		t, ok := f.Tensor("logits")
		if !ok || len(t.Shape) == 0 {
			return errors.New("logits: there is no such tensor; want the output of a reference with input_ids and logits")
		}
		x.vocabulary = t.Shape[len(t.Shape)-1]
		x.logits, err = f.Floats(t)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(x.ids) == 0 || len(x.logits) != len(x.ids)*x.vocabulary:
		return nil, fmt.Errorf("%s: logits: have %d values, want %d for %d input_ids", path, len(x.logits), len(x.ids)*x.vocabulary, len(x.ids))
	}
	return x, nil
}

// readTensors opens a safetensors file for the duration of read.
func readTensors(path string, read func(f *safetensors.File) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	f, err := safetensors.OpenFile(file)
	if err == nil {
		err = read(f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readInts(f *safetensors.File, name string) ([]int, error) {
	t, ok := f.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("%s: there is no such tensor", name)
	}
	values, err := f.Ints(t)
	if err != nil {
		return nil, err
	}
	ids := make([]int, len(values))
	for i, v := range values {
		ids[i] = int(v)
	}
	return ids, nil
}
