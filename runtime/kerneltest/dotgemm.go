package kerneltest

import (
	"fmt"
	"iter"
)

// DotGemm is DotGemv's chain for one panel and a run of tokens: row t of x, a
// quantised row, at t·StrideX, row t of y and residual at t·StrideY.
type DotGemm struct {
	Storage          string
	K                int
	StrideX, StrideY int
	Bias, Residual   bool
}

// dotScratch is what a product of some tokens may use: a block of 256 unpacked
// columns, their scales, and the sums of every token.
func dotScratch(tokens int) int { return panelRows * (256/2 + 256/64 + tokens) }

// Cases implements Kernel; residual is y in half of them.
func (d DotGemm) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		counts := []int{0, 1, 2, 4, 5, 6, 7, 8, 13, 16, 17}
		if d.K <= inputGroup { // many tokens have code of their own, whatever the columns
			counts = append(counts, 67)
		}
		for i, tokens := range counts {
			f := flavours[i%len(flavours)]
			if !yield(d.newCase(tokens, f, false)) || d.Residual && !yield(d.newCase(tokens, f, true)) {
				return
			}
		}
	}
}

func (d DotGemm) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": d.StrideY, "x": d.StrideX, "residual": d.StrideY}}}
}

func (d DotGemm) newCase(tokens int, f flavour, aliased bool) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/aliased=%v", tokens, f, aliased), kernel: d, apart: d.Storage == "bf16"}
	v := newValues(c.Name, f)
	w := makeWeights(v, d.Storage, d.K, 1)
	x := make([]float32, rows(tokens, d.StrideX, len(narrow(d.Storage, make([]float32, d.K)).row)))
	var inputs []narrowInput
	for t := range tokens {
		in := narrow(d.Storage, v.f32(d.K))
		inputs = append(inputs, in)
		copy(x[t*d.StrideX:], in.row)
	}
	y := v.f32(rows(tokens, d.StrideY, panelRows))
	bias, residual := v.f32(panelRows), v.f32(len(y))
	if aliased {
		residual = y
	}
	c.inputs = []input{{"y", y}, {"w", w.packed()}, {"x", x}}
	c.inputs = append(c.inputs, epilogueInputs(d.Bias, d.Residual, bias, residual, aliased)...)
	c.inputs = append(c.inputs, input{scratch, make([]float32, dotScratch(tokens))}, input{"tokens", tokens})
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for t, in := range inputs {
			for r := range panelRows {
				s := in.dot(w, 0, r)
				if d.Bias {
					s.add(bias[r])
				}
				i := t*d.StrideY + r
				if d.Residual {
					s.add(residual[i])
				}
				out.set(i, s.sum, s.strictBound(), s.looseBound())
			}
		}
	})
}
