package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// RMSNorm is y = x · 1/√(mean(x²)+eps) · w, token by token. Squares are summed
// by fma in 16 lanes (element i in lane i mod 16), the lanes as a tree; of all of
// a row, or of each group.
type RMSNorm struct {
	Width, Group     int // elements of a row, of a group; 0 for all
	StrideX, StrideY int
	EpsBits          uint32 // float32 bits of eps
	Weight, Shared   bool   // Shared: w is of one group's width
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
	n := groupOf(r.Group, r.Width)
	w := v.f32(r.Width)
	if r.Shared {
		w = w[:n]
	}
	if r.Weight {
		c.inputs = append(c.inputs, input{"w", w})
	}
	c.inputs = append(c.inputs, input{"tokens", tokens})
	return c.expect(outputs{"y": y}, func(want outcomes) {
		out := want["y"]
		for t := range tokens {
			for at := 0; at < r.Width; at += n {
				row := x[t*r.StrideX+at:][:n]
				scale, mean := normScale(row, r.EpsBits)
				for i, in := range row {
					value := in * scale
					if r.Weight {
						value *= w[(at+i)%len(w)]
					}
					out.set(t*r.StrideY+at+i, value, 0, normBound(value, mean, n, r.EpsBits))
				}
			}
		}
	})
}

// groupOf is the size of a group; 0 stands for the whole width.
func groupOf(group, width int) int {
	if group == 0 {
		return width
	}
	return group
}

// normScale is the factor of a row, and the mean under its root.
func normScale(row []float32, epsBits uint32) (scale, mean float32) {
	var lanes [groupChannels]float32
	for i, in := range row {
		lanes[i%groupChannels] = FMA32(in, in, lanes[i%groupChannels])
	}
	mean = sumLanes(lanes) / float32(len(row))
	root := float32(math.Sqrt(float64(mean + math.Float32frombits(epsBits))))
	return 1 / root, mean
}

// sumLanes adds 16 partial sums as a tree.
func sumLanes(lanes [groupChannels]float32) float32 {
	for half := groupChannels / 2; half > 0; half /= 2 {
		for j := range half {
			lanes[j] += lanes[j+half]
		}
	}
	return lanes[0]
}

// normBound allows for squares that are rounded before they are added; near
// the ends of the range that changes everything.
func normBound(value, mean float32, n int, epsBits uint32) float64 {
	size := math.Abs(float64(value))
	if mean > math.MaxFloat32/4/float32(n) || mean < 0x1p-100 && epsBits == 0 {
		return math.Inf(1)
	}
	return float64(n/groupChannels+8)*epsilon*size + math.SmallestNonzeroFloat32
}
