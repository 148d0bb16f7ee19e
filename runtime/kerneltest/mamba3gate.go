package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// Mamba3Gate gates the ranks of every head and adds them up, token by token:
// y = Σ_r mimoO_r·x_r·silu(z·mimoZ_r), with Norm x_r·1/√(mean(x_r²)+eps)·w in
// place of x_r.
type Mamba3Gate struct {
	Width, HeadDim, Rank      int
	StrideX, StrideZ, StrideY int
	EpsBits                   uint32 // float32 bits of eps
	Norm                      bool
}

// Cases implements Kernel; z is y in half of those that allow it.
func (g Mamba3Gate) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 2, 5} {
			for _, f := range flavours {
				if !yield(g.newCase(tokens, f, "")) || g.StrideZ == g.StrideY && !yield(g.newCase(tokens, f, "z")) {
					return
				}
			}
		}
	}
}

func (g Mamba3Gate) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": g.StrideY, "x": g.StrideX, "z": g.StrideZ}}}
}

func (g Mamba3Gate) newCase(tokens int, f flavour, aliased string) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/y=%s", tokens, f, aliased), kernel: g}
	v := newValues(c.Name, f)
	args := map[string][]float32{
		"y": v.f32(rows(tokens, g.StrideY, g.Width)),
		"x": v.f32(rows(tokens, g.StrideX, g.Rank*g.Width)),
		"z": v.f32(rows(tokens, g.StrideZ, g.Width)),
	}
	mimoZ, mimoO, w := v.f32(g.Rank*g.Width), v.f32(g.Rank*g.Width), v.f32(g.Width)
	c.inputs = append(argumentInputs(args, aliased, "y", "x", "z"), input{"mimoZ", mimoZ}, input{"mimoO", mimoO})
	if g.Norm {
		c.inputs = append(c.inputs, input{"w", w})
	}
	c.inputs = append(c.inputs, input{"tokens", tokens})
	return c.expect(outputs{"y": c.inputs[0].value.([]float32)}, func(want outcomes) {
		out := want["y"]
		for t := range tokens {
			for at := 0; at < g.Width; at += g.HeadDim {
				x := args["x"][t*g.StrideX+at*g.Rank:][:g.Rank*g.HeadDim]
				for p := range g.HeadDim {
					sum := number{}
					for r := range g.Rank {
						i := at*g.Rank + r*g.HeadDim + p
						gate := exactly(args["z"][t*g.StrideZ+at+p]).times(exactly(mimoZ[i])).apply(silu, 1.1)
						value := exactly(x[r*g.HeadDim+p])
						if g.Norm {
							value = value.times(g.scale(x[r*g.HeadDim:][:g.HeadDim])).times(exactly(w[at+p]))
						}
						sum = sum.plus(value.times(gate).times(exactly(mimoO[i])))
					}
					out.near(t*g.StrideY+at+p, sum.value, sum.err)
				}
			}
		}
	})
}

// scale is 1/√(mean(x²)+eps).
func (g Mamba3Gate) scale(x []float32) number {
	sum := number{}
	for _, v := range x {
		sum = sum.plus(exactly(v).times(exactly(v)))
	}
	mean := sum.over(exactly(float32(len(x)))).plus(exactly(math.Float32frombits(g.EpsBits)))
	return exactly(1).over(mean.root())
}
