package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// GatedNorm is y = g · 1/√(mean(g²)+eps) · w with g = x·silu(z), or with
// NormFirst x · 1/√(mean(x²)+eps) · w · silu(z), token by token, of all of a row
// or of each group.
type GatedNorm struct {
	Width, Group              int // elements of a row, of a group; 0 for all
	StrideX, StrideZ, StrideY int
	EpsBits                   uint32 // float32 bits of eps
	NormFirst                 bool
}

// Cases implements Kernel; x or z is y in some of those that allow it.
func (g GatedNorm) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 2, 5} {
			for _, f := range flavours {
				if !yield(g.newCase(tokens, f, "")) ||
					g.StrideX == g.StrideY && !yield(g.newCase(tokens, f, "x")) ||
					g.StrideZ == g.StrideY && !yield(g.newCase(tokens, f, "z")) {
					return
				}
			}
		}
	}
}

func (g GatedNorm) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": g.StrideY, "x": g.StrideX, "z": g.StrideZ}}}
}

// newCase makes y the argument of the name aliased, if there is one.
func (g GatedNorm) newCase(tokens int, f flavour, aliased string) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/y=%s", tokens, f, aliased), kernel: g}
	v := newValues(c.Name, f)
	args := map[string][]float32{
		"y": v.f32(rows(tokens, g.StrideY, g.Width)),
		"x": v.f32(rows(tokens, g.StrideX, g.Width)),
		"z": v.f32(rows(tokens, g.StrideZ, g.Width)),
	}
	w := v.f32(g.Width)
	c.inputs = append(argumentInputs(args, aliased, "y", "x", "z"), input{"w", w}, input{"tokens", tokens})
	return c.expect(outputs{"y": c.inputs[0].value.([]float32)}, func(want outcomes) {
		out, n := want["y"], groupOf(g.Group, g.Width)
		for t := range tokens {
			for at := 0; at < g.Width; at += n {
				x, z := args["x"][t*g.StrideX+at:][:n], args["z"][t*g.StrideZ+at:][:n]
				for i, value := range g.group(x, z, w[at:][:n]) {
					out.near(t*g.StrideY+at+i, value.value, value.err)
				}
			}
		}
	})
}

// group is the outputs of one group.
func (g GatedNorm) group(x, z, w []float32) []number {
	list := make([]number, len(x))
	sum := number{}
	for i, v := range x {
		list[i] = exactly(v)
		if !g.NormFirst {
			list[i] = list[i].times(exactly(z[i]).apply(silu, 0))
		}
		sum = sum.plus(list[i].times(list[i]))
	}
	mean := sum.over(exactly(float32(len(x)))).plus(exactly(math.Float32frombits(g.EpsBits)))
	scale := exactly(1).over(mean.root())
	for i := range list {
		list[i] = list[i].times(scale).times(exactly(w[i]))
		if g.NormFirst {
			list[i] = list[i].times(exactly(z[i]).apply(silu, 0))
		}
	}
	return list
}
