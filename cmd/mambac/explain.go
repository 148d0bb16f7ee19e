package main

import (
	"slices"
	"strings"

	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/runtime/payload"
)

// explaining is the feature of programs that tell Δ of a text, and so hand out
// what their scans make it of.
const explaining = "explain"

// scan is how an op comes to its Δ: clamp(softplus(dt + bias), low, high), or dt
// itself if bias is nil.
type scan struct {
	mixer     string
	dt        *ir.Value
	bias      *ir.Param
	low, high float32
}

// scanOf tells of a value whether a scan makes it.
func scanOf(v *ir.Value) (s scan, ok bool) {
	switch o := v.Op.(type) {
	case op.Scan1:
		return scan{mixer: "mamba", dt: v.Args[1], bias: v.Params[2]}, true
	case op.SSD:
		return scan{"mamba2", v.Args[3], v.Params[1], o.Low, o.High}, true
	case op.Mamba3:
		return scan{mixer: "mamba3", dt: v.Args[3], bias: v.Params[0]}, true
	}
	return scan{}, false
}

// tapScans has a module hand out what its scans make Δ of. That is in memory
// anyway, for the scan to read; the rest takes a reader no time that counts
// (RATIONALE.md, "What does a program that explains carry?").
func tapScans(m *ir.Module) {
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if s, ok := scanOf(v); ok && !slices.Contains(m.Taps, s.dt) {
				m.Taps = append(m.Taps, s.dt)
			}
		}
	}
}

// layersOf tells of each layer what it is and how its Δ is read.
func layersOf(m *ir.Module, p *plan.Plan) []payload.Layer {
	var list []payload.Layer
	for _, r := range m.Regions {
		if strings.HasPrefix(r.Name, "layers.") {
			list = append(list, layerOf(r, p))
		}
	}
	return list
}

// layerOf calls a layer after its scan, if it has one, even beside attention.
func layerOf(r *ir.Region, p *plan.Plan) payload.Layer {
	l := payload.Layer{Mixer: "mlp"}
	for _, v := range r.Body {
		if s, ok := scanOf(v); ok {
			return payload.Layer{Mixer: s.mixer, Delta: s.delta(p)}
		}
		if _, ok := v.Op.(op.Attention); ok {
			l.Mixer = "attention"
		}
	}
	return l
}

func (s *scan) delta(p *plan.Plan) *payload.Delta {
	d := &payload.Delta{Tap: s.dt.Name, Low: s.low, High: s.high}
	if s.bias == nil {
		return d
	}
	i := slices.IndexFunc(p.Weights, func(w *plan.Weight) bool {
		return w.Param.Name == s.bias.Name && w.Slot.Layout == plan.Vector
	})
	if i < 0 {
		panic("BUG: " + s.bias.Name + " is a bias that no scan reads")
	}
	d.Bias = &p.Weights[i].Offset
	return d
}
