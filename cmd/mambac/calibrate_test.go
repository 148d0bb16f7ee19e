package main

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/storage"
)

// TestCalibrationWindows wants the text read evenly, and fewer rows of wide
// models.
func TestCalibrationWindows(t *testing.T) {
	narrow := &calibration{inputs: map[string][]tap{"a": {{"x", 256}}, "b": {{"x", 256}}}}
	wide := &calibration{inputs: map[string][]tap{"a": {{"x", 5120}}, "b": {{"y", 1 << 20}}}}
	for _, c := range []struct {
		of                   *calibration
		ids                  int
		count, length, every int
		first, last          int32
	}{
		{narrow, 2, 1, 2, 1, 0, 1},
		{narrow, 512, 1, 512, 1, 0, 511},
		{narrow, 1100, 2, 512, 1, 0, 1099},
		{narrow, 1 << 16, 32, 512, 1, 0, 1<<16 - 1},
		{wide, 1 << 16, 32, 512, 4, 0, 1<<16 - 1},
		{wide, 4096, 8, 512, 1, 0, 4095},
	} {
		ids := make([]int, c.ids)
		for i := range ids {
			ids[i] = i
		}
		w := c.of.windows(ids, windowTokens)
		if w.count != c.count || w.length != c.length || w.every != c.every || len(w.ids) != c.count*c.length {
			t.Errorf("%d ids: %d windows of %d, every %d; want %d of %d, every %d", c.ids, w.count, w.length, w.every, c.count, c.length, c.every)
			continue
		}
		if first, last := w.ids[0], w.ids[len(w.ids)-1]; first != c.first || last != c.last {
			t.Errorf("%d ids: read from %d to %d, want %d to %d", c.ids, first, last, c.first, c.last)
		}
	}
}

// TestCalibrated reads a text and finds that linears change less of their outputs
// on it than with the format's own rounding, but those whose weights are no codes.
func TestCalibrated(t *testing.T) {
	m, err := openModel(filepath.Join("demo", "go-mamba-5m"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	o := newChoice()
	o.weights, o.text = "int4", "sample.go"
	end, err := o.calibrate(context.Background(), m, noProgress{})
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	module, err := o.passes(m)
	if err != nil {
		t.Fatal(err)
	}
	o.calibration.apply(module)
	seen := 0
	for _, p := range module.Params {
		format, coded := storage.LookupCoded(p.Storage)
		if coded != (p.Encoder != nil) {
			t.Errorf("%s in %s has encoder %v", p.Name, p.Storage, p.Encoder)
		}
		if !coded || seen == 3 {
			continue
		}
		seen++
		own, calibrated := outputError(t, o.calibration, p, format, format), outputError(t, o.calibration, p, format, p.Encoder)
		t.Logf("%s: squared error of outputs %.3g, calibrated %.3g", p.Name, own, calibrated)
		if calibrated >= own {
			t.Errorf("%s: squared error of outputs %g, by the format alone %g", p.Name, calibrated, own)
		}
	}
}

// outputError is the sum of squares by which some rows of a matrix change their
// outputs on the text when they are rounded.
func outputError(t *testing.T, c *calibration, p *ir.Param, format *storage.Coded, e storage.Encoder) float64 {
	t.Helper()
	const rows = 4
	n := p.Shape.Row()
	values := make([]float32, rows*n)
	if err := p.Source.ReadRows(values, 0, rows); err != nil {
		t.Fatal(err)
	}
	kept := slices.Clone(values)
	for r := range rows {
		if err := format.RoundBy(e, kept[r*n:(r+1)*n]); err != nil {
			t.Fatal(err)
		}
	}
	sum := 0.0
	err := c.each(c.inputs[p.Name][0], func(inputs []float32) {
		for ; len(inputs) > 0; inputs = inputs[n:] {
			for r := range rows {
				change := 0.0
				for i, x := range inputs[:n] {
					change += float64(x) * float64(kept[r*n+i]-values[r*n+i])
				}
				sum += change * change
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
