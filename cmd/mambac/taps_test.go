package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/runtime/safetensors"
)

// TestTaps has every value of a module handed out, at every level that this
// machine has, and compares each with the evaluator's, before and after the
// passes that fuse.
func TestTaps(t *testing.T) {
	m, err := openModel(filepath.Join("..", "..", "importer", "testdata", "golden", "mamba-safetensors"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	for _, disabled := range [][]string{nil, {"fuse-conv", "fuse-softplus", "fuse-gate", "fuse-residual"}} {
		o := newChoice()
		o.math, o.cpu, o.disable = "exact", "all", disabled
		module, err := o.passes(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range module.Regions {
			module.Taps = append(module.Taps, r.Body...)
		}
		c, err := o.emit(m, module, codegen.Options{Package: "main"}, "taps")
		if err != nil {
			t.Fatal(err)
		}
		requirePlan(t, c.Plan)
		folder := t.TempDir()
		path := filepath.Join(folder, executableName("taps"))
		if err := o.program(context.Background(), c, path, nil, noProgress{}); err != nil {
			t.Fatal(err)
		}
		for _, level := range c.levels {
			if len(missingFeatures(level)) == 0 {
				requireTaps(t, &program{path: path, folder: folder, level: level}, module)
			}
		}
	}
}

// requirePlan prints a plan and parses it.
func requirePlan(t *testing.T, p *plan.Plan) {
	t.Helper()
	text := plan.Format(p)
	again, err := plan.Parse(text)
	if err != nil || plan.Format(again) != text {
		t.Errorf("the plan comes back otherwise: %v", err)
	}
	if n := strings.Count(text, "\ntap "); n != len(p.Taps) || n == 0 {
		t.Errorf("%d taps are printed, want %d", n, len(p.Taps))
	}
}

// requireTaps feeds two windows of ids, of which every third is kept.
func requireTaps(t *testing.T, p *program, m *ir.Module) {
	t.Helper()
	const count, length, every = 2, 20, 3
	w := &windows{count: count, length: length, every: every}
	for _, id := range seededIDs(1, count*length, m.Output.Type.Width) {
		w.ids = append(w.ids, int32(id))
	}
	file := filepath.Join(p.folder, p.level+".safetensors")
	if err := w.ask(context.Background(), p, file); err != nil {
		t.Fatal(err)
	}
	want := evaluated(t, m, w)
	err := readTensors(file, func(f *safetensors.File) error {
		for _, v := range m.Taps {
			tensor, _ := f.Tensor(v.Name)
			if !slices.Equal(tensor.Shape, []int{w.rows(), v.Type.Width}) {
				t.Errorf("%s: shape %v, want %d rows of %d", v.Name, tensor.Shape, w.rows(), v.Type.Width)
				continue
			}
			got, err := f.Floats(tensor)
			if err != nil {
				return err
			}
			if e := relativeError(got, want[v]); e > programTolerance {
				t.Errorf("level %s: %s (%s): relative error %.2e", p.level, v.Name, v.Op.OpName(), e)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// evaluated is what the evaluator makes of the rows that are kept.
func evaluated(t *testing.T, m *ir.Module, w *windows) map[*ir.Value][]float32 {
	t.Helper()
	e, err := eval.New(m)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[*ir.Value][]float32{}
	for i, id := range w.ids {
		if i%w.length == 0 {
			e.Reset()
		}
		if _, err := e.Step(int(id)); err != nil {
			t.Fatal(err)
		}
		if i%w.length%w.every != 0 {
			continue
		}
		for _, v := range m.Taps {
			rows[v] = append(rows[v], e.Value(v)...)
		}
	}
	return rows
}
