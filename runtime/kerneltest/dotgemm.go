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
func dotScratch(tokens int) int { return panelRows * (256/2 + 256/32 + tokens) }

// Cases implements Kernel; residual is y in half of them.
func (d DotGemm) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for i, tokens := range []int{0, 1, 2, 3, 5, 6, 7, 8, 9, 13, 17} {
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
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/aliased=%v", tokens, f, aliased), kernel: d}
	v := newValues(c.Name, f)
	w, shape := makeCoded(v, d.Storage, d.K, 1), quantisedShape(d.Storage, d.K)
	x := make([]float32, rows(tokens, d.StrideX, shape.floats))
	var quantisedRows []*quantised
	for t := range tokens {
		q := quantise(d.Storage, v.f32(d.K))
		quantisedRows = append(quantisedRows, q)
		copy(x[t*d.StrideX:], shape.row(q))
	}
	y := v.f32(rows(tokens, d.StrideY, panelRows))
	bias, residual := v.f32(panelRows), v.f32(len(y))
	if aliased {
		residual = y
	}
	c.inputs = []input{{"y", y}, {"w", w.packed()}, {"x", x}}
	c.inputs = append(c.inputs, epilogueInputs(d.Bias, d.Residual, bias, residual, aliased)...)
	c.inputs = append(c.inputs, input{scratch, make([]float32, dotScratch(tokens))}, input{"tokens", tokens})
	out := unwritten(y)
	for t, q := range quantisedRows {
		for r := range panelRows {
			s := w.dot(0, r, q)
			if d.Bias {
				s.add(bias[r])
			}
			i := t*d.StrideY + r
			if d.Residual {
				s.add(residual[i])
			}
			out.set(i, s.sum, 0, s.looseBound())
		}
	}
	c.want = map[string]*outcome{"y": out}
	return c
}
