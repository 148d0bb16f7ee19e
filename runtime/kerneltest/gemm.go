package kerneltest

import (
	"fmt"
	"iter"
)

// Gemm is Gemv's chain for one panel and a run of tokens: row t of x at
// t·StrideX, row t of y and residual at t·StrideY.
type Gemm struct {
	Storage          string
	K                int
	StrideX, StrideY int
	Bias, Residual   bool
}

// scratchElements is what a gemm of some tokens may use: a block of 128
// widened columns, and the resting sums of every token.
func scratchElements(tokens int) int { return panelRows * (128 + tokens) }

// Cases implements Kernel; residual is y in half of them.
func (g Gemm) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for i, tokens := range []int{0, 1, 2, 4, 5, 7, 8, 13, 16, 17} {
			f := flavours[i%len(flavours)]
			if !yield(g.newCase(tokens, f, false)) || g.Residual && !yield(g.newCase(tokens, f, true)) {
				return
			}
		}
	}
}

func (g Gemm) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": g.StrideY, "x": g.StrideX, "residual": g.StrideY}}}
}

func (g Gemm) newCase(tokens int, f flavour, aliased bool) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/aliased=%v", tokens, f, aliased), kernel: g}
	v := newValues(c.Name, f)
	w, x := makeWeights(v, g.Storage, g.K, 1), v.f32(rows(tokens, g.StrideX, g.K))
	y := v.f32(rows(tokens, g.StrideY, panelRows))
	bias, residual := v.f32(panelRows), v.f32(len(y))
	if aliased {
		residual = y
	}
	c.inputs = []input{{"y", y}, {"w", w.packed()}, {"x", x}}
	c.inputs = append(c.inputs, epilogueInputs(g.Bias, g.Residual, bias, residual, aliased)...)
	c.inputs = append(c.inputs, input{scratch, make([]float32, scratchElements(tokens))}, input{"tokens", tokens})
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for t := range tokens {
			for r := range panelRows {
				s := dot(w, 0, r, x[t*g.StrideX:][:g.K])
				if g.Bias {
					s.add(bias[r])
				}
				i := t*g.StrideY + r
				if g.Residual {
					s.add(residual[i])
				}
				out.set(i, s.sum, 0, s.looseBound())
			}
		}
	})
}

// rows is the length of a run of rows whose last one ends with its width.
func rows(n, stride, width int) int {
	if n == 0 {
		return 0
	}
	return (n-1)*stride + width
}
