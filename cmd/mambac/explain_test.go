package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/runtime/heat"
)

// explained are goldens with scans of every kind, with attention between them and
// beside them, and the layers of some.
var explained = map[string]string{
	"mamba-safetensors": "mamba mamba",
	"mamba2-ssm-layout": "mamba2 mamba2",
	"mamba3-siso":       "mamba3 mamba3",
	"jamba":             "",
	"nemotron-h":        "",
	"falcon-h1":         "",
	"zamba2":            "",
	"llama":             "",
}

// TestExplain holds Δ of built programs against the evaluator's.
func TestExplain(t *testing.T) {
	for name, layers := range explained {
		t.Run(name, func(t *testing.T) {
			m, err := openModel(golden(name), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer m.close()
			requireUnchanged(t, m)
			a := buildOnce(t, golden(name), goldenFlags(golden(name))...)
			requireDelta(t, a, m, layers)
		})
	}
}

// requireUnchanged: what a program computes, and where, is the same without taps.
func requireUnchanged(t *testing.T, m *model) {
	t.Helper()
	o := newChoice()
	o.cpu = target.Generic // a plan is that of all levels
	c, err := o.compile(m, codegen.Options{Package: "main", Commands: []string{explaining}}, "explain")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := o.compile(m, codegen.Options{Package: "main"}, "explain")
	if err != nil {
		t.Fatal(err)
	}
	if plain.layers != nil || len(plain.Plan.Taps) > 0 {
		t.Errorf("a program that does not explain has %d layers and %d taps", len(plain.layers), len(plain.Plan.Taps))
	}
	p := *c.Plan
	p.Taps = nil
	if plan.Format(&p) != plan.Format(plain.Plan) {
		t.Error("the plan is another one for the taps")
	}
}

// requireDelta has a program explain more ids than fit into a chunk of some models.
func requireDelta(t *testing.T, a artifact, m *model, layers string) {
	t.Helper()
	ids := seededIDs(2, 70, m.Module.Output.Type.Width)
	out := a.run(t, "", "explain", "--json", "--ids", joinInts(ids))
	var got heat.Map
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	want, mixers := meanDelta(t, m.Module, ids)
	if len(got.Layers) != len(want) || len(got.Delta) != len(want) || len(got.Tokens) != len(ids) {
		t.Fatalf("%d layers, %d rows of Δ, %d tokens; want %d layers", len(got.Layers), len(got.Delta), len(got.Tokens), len(want))
	}
	for i, row := range want {
		if got.Layers[i].Mixer != mixers[i] || (got.Delta[i] == nil) != (row == nil) {
			t.Errorf("layer %d is %s, %v; want %s", i, got.Layers[i].Mixer, got.Delta[i], mixers[i])
		} else if row != nil {
			if e := relativeError(got.Delta[i], row); e > programTolerance {
				t.Errorf("layer %d: relative error %.2e", i, e)
			}
		}
	}
	if have := strings.Join(mixers, " "); layers != "" && have != layers {
		t.Errorf("the layers are %s, want %s", have, layers)
	}
}

// meanDelta is Δ of every layer by the evaluator, from the module as it was
// imported: Δ of Mamba-1 is a value there, that of the others is made as families.md
// has it, §3 step 3 and §4 step 3.
func meanDelta(t *testing.T, m *ir.Module, ids []int) (rows [][]float32, mixers []string) {
	t.Helper()
	e, err := eval.New(m)
	if err != nil {
		t.Fatal(err)
	}
	var deltas []func() float32
	for _, r := range m.Regions {
		if !strings.HasPrefix(r.Name, "layers.") {
			continue
		}
		delta, mixer := (func() float32)(nil), "mlp"
		for _, v := range r.Body {
			switch o := v.Op.(type) {
			case op.Scan1:
				mixer, delta = "mamba", func() float32 { return average(e.Value(v.Args[1])) }
			case op.SSD:
				bias := biasOf(t, v.Params[1])
				mixer, delta = "mamba2", func() float32 { return stepped(e.Value(v.Args[3]), bias, o.Low, o.High) }
			case op.Mamba3:
				bias := biasOf(t, v.Params[0])
				mixer, delta = "mamba3", func() float32 { return stepped(e.Value(v.Args[3]), bias, 0, 0) }
			case op.Attention:
				if delta == nil {
					mixer = "attention"
				}
			}
		}
		deltas, mixers, rows = append(deltas, delta), append(mixers, mixer), append(rows, nil)
	}
	for _, id := range ids {
		if _, err := e.Step(id); err != nil {
			t.Fatal(err)
		}
		for i, delta := range deltas {
			if delta != nil {
				rows[i] = append(rows[i], delta())
			}
		}
	}
	return rows, mixers
}

func biasOf(t *testing.T, p *ir.Param) []float32 {
	t.Helper()
	values := make([]float32, p.Shape.Elements())
	if err := p.Source.ReadRows(values, 0, p.Shape.Rows()); err != nil {
		t.Fatal(err)
	}
	return values
}

func average(values []float32) float32 {
	sum := 0.0
	for _, v := range values {
		sum += float64(v)
	}
	return float32(sum / float64(len(values)))
}

func stepped(dt, bias []float32, low, high float32) float32 {
	values := make([]float32, len(dt))
	for i := range dt {
		values[i] = max(float32(math.Log(1+math.Exp(float64(dt[i]+bias[i])))), low)
		if high > 0 {
			values[i] = min(values[i], high)
		}
	}
	return average(values)
}
