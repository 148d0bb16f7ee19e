package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// RoPE turns pairs (a, b) of the first Rotary elements of every head, and copies
// the others: a becomes fma(−b, sin, a·cos), b becomes fma(a, sin, b·cos).
type RoPE struct {
	Width, HeadDim, Rotary    int
	StrideX, StrideA, StrideY int
	Interleaved               bool // neighbours are a pair, else elements Rotary/2 apart
}

// Cases implements Kernel; x is y in half of those that allow it.
func (r RoPE) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 2, 5} {
			for _, f := range flavours {
				if !yield(r.newCase(tokens, f, "")) || r.StrideX == r.StrideY && !yield(r.newCase(tokens, f, "x")) {
					return
				}
			}
		}
	}
}

func (r RoPE) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": r.StrideY, "x": r.StrideX, "angles": r.StrideA}}}
}

// newCase makes y the argument of the name aliased, if there is one.
func (r RoPE) newCase(tokens int, f flavour, aliased string) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/y=%s", tokens, f, aliased), kernel: r}
	v := newValues(c.Name, f)
	args := map[string][]float32{
		"y":      v.f32(rows(tokens, r.StrideY, r.Width)),
		"x":      v.f32(rows(tokens, r.StrideX, r.Width)),
		"angles": v.f32(rows(tokens, r.StrideA, r.Rotary)),
	}
	c.inputs = append(argumentInputs(args, aliased, "y", "x", "angles"), input{"tokens", tokens})
	return c.expect(outputs{"y": c.inputs[0].value.([]float32)}, func(want outcomes) {
		out := want["y"]
		for t := range tokens {
			for at := 0; at < r.Width; at += r.HeadDim {
				r.head(out, t*r.StrideY+at, args["x"][t*r.StrideX+at:][:r.HeadDim], args["angles"][t*r.StrideA:][:r.Rotary])
			}
		}
	})
}

// head sets the outputs of one head, which begin at an index.
func (r RoPE) head(out *outcome, at int, x, angles []float32) {
	half := r.Rotary / 2
	for i := range half {
		first, second := i, i+half
		if r.Interleaved {
			first, second = 2*i, 2*i+1
		}
		a, b, cos, sin := x[first], x[second], angles[i], angles[half+i]
		turned(out, at+first, a, cos, -b, sin)
		turned(out, at+second, b, cos, a, sin)
	}
	for i := r.Rotary; i < r.HeadDim; i++ {
		out.exact(at+i, x[i])
	}
}

// turned is a·cos + b·sin, the second product fused; twins round it.
func turned(out *outcome, i int, a, cos, b, sin float32) {
	size := math.Abs(float64(a)*float64(cos)) + math.Abs(float64(b)*float64(sin))
	bound := 3*epsilon*size + 2*math.SmallestNonzeroFloat32
	if size > math.MaxFloat32/4 {
		bound = math.Inf(1)
	}
	out.set(i, FMA32(b, sin, a*cos), 0, bound)
}
