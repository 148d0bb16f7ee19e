package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// RMSNorm is y = x · 1/√(mean(x²)+eps) · w, token by token. Squares are summed
// by fma in 16 lanes (element i in lane i mod 16), the lanes as a tree.
type RMSNorm struct {
	Width            int
	StrideX, StrideY int
	EpsBits          uint32 // float32 bits of eps
	Weight           bool
}

// Cases implements Kernel; x is y in half of those that allow it.
func (r RMSNorm) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 2, 5} {
			for _, f := range flavours {
				if !yield(r.newCase(tokens, f, false)) || r.StrideX == r.StrideY && !yield(r.newCase(tokens, f, true)) {
					return
				}
			}
		}
	}
}

func (r RMSNorm) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": r.StrideY, "x": r.StrideX}}}
}

func (r RMSNorm) newCase(tokens int, f flavour, aliased bool) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/aliased=%v", tokens, f, aliased), kernel: r}
	v := newValues(c.Name, f)
	y, x := v.f32(rows(tokens, r.StrideY, r.Width)), v.f32(rows(tokens, r.StrideX, r.Width))
	c.inputs = []input{{"y", y}, {"x", x}}
	if aliased {
		y = x
		c.inputs = []input{{"y", x}, {"x", alias("y")}}
	}
	w := v.f32(r.Width)
	if r.Weight {
		c.inputs = append(c.inputs, input{"w", w})
	}
	c.inputs = append(c.inputs, input{"tokens", tokens})
	out := unwritten(y)
	for t := range tokens {
		scale, mean := r.scale(x[t*r.StrideX:][:r.Width])
		for i, in := range x[t*r.StrideX:][:r.Width] {
			value := in * scale
			if r.Weight {
				value *= w[i]
			}
			out.set(t*r.StrideY+i, value, 0, r.looseBound(value, mean))
		}
	}
	c.want = map[string]*outcome{"y": out}
	return c
}

// scale is the factor of a row, and the mean under its root.
func (r RMSNorm) scale(row []float32) (scale, mean float32) {
	var lanes [groupChannels]float32
	for i, in := range row {
		lanes[i%groupChannels] = FMA32(in, in, lanes[i%groupChannels])
	}
	for half := groupChannels / 2; half > 0; half /= 2 {
		for j := range half {
			lanes[j] += lanes[j+half]
		}
	}
	mean = lanes[0] / float32(r.Width)
	root := float32(math.Sqrt(float64(mean + math.Float32frombits(r.EpsBits))))
	return 1 / root, mean
}

// looseBound allows for squares that are rounded before they are added; near
// the ends of the range that changes everything.
func (r RMSNorm) looseBound(value, mean float32) float64 {
	size := math.Abs(float64(value))
	if mean > math.MaxFloat32/4/float32(r.Width) || mean < 0x1p-100 && r.EpsBits == 0 {
		return math.Inf(1)
	}
	return float64(r.Width/groupChannels+8)*epsilon*size + math.SmallestNonzeroFloat32
}
