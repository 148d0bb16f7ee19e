package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// Angles is cos(a)·factor, then sin(a)·factor, with a = float32(position+t)·f
// rounded to float32, of every token t.
type Angles struct {
	Count, StrideY int
	FactorBits     uint32 // float32 bits
}

// Cases implements Kernel.
func (a Angles) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for i, tokens := range []int{0, 1, 2, 5, 70} {
			for j, f := range flavours {
				if !yield(a.newCase(tokens, []int{0, 1, 63, 4097, 1 << 20}[(i+j)%5], f)) {
					return
				}
			}
		}
	}
}

func (a Angles) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": a.StrideY, "position": 1}}}
}

func (a Angles) newCase(tokens, position int, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/position=%d/%s", tokens, position, f), kernel: a}
	v := newValues(c.Name, f)
	y, frequencies := v.tame(rows(tokens, a.StrideY, 2*a.Count)), v.f32(a.Count)
	c.inputs = []input{{"y", y}, {"f", frequencies}, {"position", position}, {"tokens", tokens}}
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out, factor := want["y"], math.Float32frombits(a.FactorBits)
		for t := range tokens {
			for i, frequency := range frequencies {
				angle := float32(position+t) * frequency
				sin, cos := math.Sincos(float64(angle))
				a.set(out, t*a.StrideY+i, float32(cos)*factor, factor)
				a.set(out, t*a.StrideY+a.Count+i, float32(sin)*factor, factor)
			}
		}
	})
}

// set allows for two roundings of what is at most the factor.
func (a Angles) set(out *outcome, i int, v, factor float32) {
	out.near(i, float64(v), 2*epsilon*math.Abs(float64(factor)))
}
