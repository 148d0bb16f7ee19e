package kerneltest

import (
	"fmt"
	"iter"
)

// Gemv is y = W·x for a run of packed panels: per output one chain
// acc ← fma(w, x, acc) in ascending k, then + bias, then + residual.
type Gemv struct {
	Storage        string // f32, f16, bf16
	K              int
	Bias, Residual bool
}

// Cases implements Kernel; residual is y in half of them.
func (g Gemv) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, n := range []int{0, 1, 2, 3} {
			for _, f := range flavours {
				if !yield(g.newCase(n, f, false)) || g.Residual && !yield(g.newCase(n, f, true)) {
					return
				}
			}
		}
	}
}

func (g Gemv) axes() []axis {
	return []axis{{"panels", map[string]int{
		"y": panelRows, "w": panelElements(g.Storage, g.K), "bias": panelRows, "residual": panelRows,
	}}}
}

func (g Gemv) newCase(n int, f flavour, aliased bool) *Case {
	c := &Case{Name: fmt.Sprintf("panels=%d/%s/aliased=%v", n, f, aliased), kernel: g}
	v := newValues(c.Name, f)
	w, x := makeWeights(v, g.Storage, g.K, n), v.f32(g.K)
	y, bias, residual := v.f32(n*panelRows), v.f32(n*panelRows), v.f32(n*panelRows)
	if aliased {
		residual = y
	}
	c.inputs = []input{{"y", y}, {"w", w.packed()}, {"x", x}}
	c.inputs = append(c.inputs, epilogueInputs(g.Bias, g.Residual, bias, residual, aliased)...)
	c.inputs = append(c.inputs, input{"panels", n})
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for i := range y {
			s := dot(w, i/panelRows, i%panelRows, x)
			if g.Bias {
				s.add(bias[i])
			}
			if g.Residual {
				s.add(residual[i])
			}
			out.set(i, s.sum, 0, s.looseBound())
		}
	})
}

func epilogueInputs(hasBias, hasResidual bool, bias, residual []float32, aliased bool) []input {
	var list []input
	if hasBias {
		list = append(list, input{"bias", bias})
	}
	if hasResidual && aliased {
		list = append(list, input{"residual", alias("y")})
	} else if hasResidual {
		list = append(list, input{"residual", residual})
	}
	return list
}
