package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// LayerNorm is y = (x−mean) · 1/√(var+eps) · w + bias, token by token: mean and
// variance of 16 sums each (element i in lane i mod 16, squares by fma), the
// lanes added as a tree; the bias by fma.
type LayerNorm struct {
	Width            int
	StrideX, StrideY int
	EpsBits          uint32 // float32 bits of eps
	Bias             bool
}

// Cases implements Kernel; x is y in half of those that allow it.
func (n LayerNorm) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 2, 5} {
			for _, f := range flavours {
				if !yield(n.newCase(tokens, f, "")) || n.StrideX == n.StrideY && !yield(n.newCase(tokens, f, "x")) {
					return
				}
			}
		}
	}
}

func (n LayerNorm) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": n.StrideY, "x": n.StrideX}}}
}

// newCase makes y the argument of the name aliased, if there is one.
func (n LayerNorm) newCase(tokens int, f flavour, aliased string) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/y=%s", tokens, f, aliased), kernel: n}
	v := newValues(c.Name, f)
	args := map[string][]float32{
		"y": v.f32(rows(tokens, n.StrideY, n.Width)),
		"x": v.f32(rows(tokens, n.StrideX, n.Width)),
	}
	w, bias := v.f32(n.Width), v.f32(n.Width)
	c.inputs = append(argumentInputs(args, aliased, "y", "x"), input{"w", w})
	if n.Bias {
		c.inputs = append(c.inputs, input{"bias", bias})
	}
	c.inputs = append(c.inputs, input{"tokens", tokens})
	return c.expect(outputs{"y": c.inputs[0].value.([]float32)}, func(want outcomes) {
		out := want["y"]
		for t := range tokens {
			n.row(out, t*n.StrideY, args["x"][t*n.StrideX:][:n.Width], w, bias)
		}
	})
}

// row sets the outputs of a token, which begin at an index.
func (n LayerNorm) row(out *outcome, at int, x, w, bias []float32) {
	var sums [groupChannels]float32
	for i, v := range x {
		sums[i%groupChannels] += v
	}
	mean := sumLanes(sums) / float32(len(x))
	centred := make([]float32, len(x))
	for i, v := range x {
		centred[i] = v - mean
	}
	scale, variance := normScale(centred, n.EpsBits)
	for i, d := range centred {
		value := d * scale * w[i]
		bound := normBound(value, variance, len(x), n.EpsBits)
		if n.Bias {
			value = FMA32(d*scale, w[i], bias[i])
			bound += epsilon*math.Abs(float64(bias[i])) + 2*epsilon*math.Abs(float64(value))
		}
		out.set(at+i, value, 0, bound)
	}
}
