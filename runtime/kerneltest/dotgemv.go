package kerneltest

import (
	"fmt"
	"iter"
)

// DotGemv is y = W·x for a run of panels and a quantised x: per output one chain
// over the groups of columns, ascending, then + bias, then + residual. In bf16 it
// is a chain over all columns, and levels may differ in how they add a pair.
type DotGemv struct {
	Storage        string // int8, int4, bf16
	K              int
	Bias, Residual bool
}

// Cases implements Kernel; residual is y in half of them.
func (d DotGemv) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, n := range []int{0, 1, 2, 3} {
			for _, f := range flavours {
				if !yield(d.newCase(n, f, false)) || d.Residual && !yield(d.newCase(n, f, true)) {
					return
				}
			}
		}
	}
}

func (d DotGemv) axes() []axis {
	return []axis{{"panels", map[string]int{
		"y": panelRows, "w": panelElements(d.Storage, d.K), "bias": panelRows, "residual": panelRows,
	}}}
}

func (d DotGemv) newCase(n int, f flavour, aliased bool) *Case {
	c := &Case{Name: fmt.Sprintf("panels=%d/%s/aliased=%v", n, f, aliased), kernel: d, apart: d.Storage == "bf16"}
	v := newValues(c.Name, f)
	w, x := makeWeights(v, d.Storage, d.K, n), narrow(d.Storage, v.f32(d.K))
	y, bias, residual := v.f32(n*panelRows), v.f32(n*panelRows), v.f32(n*panelRows)
	if aliased {
		residual = y
	}
	c.inputs = []input{{"y", y}, {"w", w.packed()}, {"x", x.row}}
	c.inputs = append(c.inputs, epilogueInputs(d.Bias, d.Residual, bias, residual, aliased)...)
	c.inputs = append(c.inputs, input{scratch, make([]float32, panelRows)}, input{"panels", n})
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for i := range y {
			s := x.dot(w, i/panelRows, i%panelRows)
			if d.Bias {
				s.add(bias[i])
			}
			if d.Residual {
				s.add(residual[i])
			}
			out.set(i, s.sum, s.strictBound(), s.looseBound())
		}
	})
}
