package kernel

import (
	"fmt"
	"math"
)

// GatedNorm is an RMS norm with a gate for a run of tokens (families.md §1.4),
// of all of a row or of each group of neighbouring elements:
//
//	g = x·silu(z), y = (g·scale)·w            gate first
//	y = ((x·scale)·w)·silu(z)                 with NormFirst
//
// where scale = 1/√(mean(g²)+eps), or of x², as in RMSNorm: 16 partial sums by
// fma, added as a tree. The root and the division are correctly rounded. y may
// alias x or z where the strides are equal.
type GatedNorm struct {
	Width     int
	Group     int // elements of a group, of which Width is a multiple; 0 for all
	StrideX   int
	StrideZ   int
	StrideY   int
	EpsBits   uint32 // float32 bits of eps, so that specs compare
	NormFirst bool
}

// Eps is the constant under the root.
func (g GatedNorm) Eps() float32 { return math.Float32frombits(g.EpsBits) }

// Elements is the number of elements of a mean.
func (g GatedNorm) Elements() int { return groupOf(g.Group, g.Width) }

// Kind implements Spec.
func (GatedNorm) Kind() string { return "gatednorm" }

// Name implements Spec.
func (g GatedNorm) Name() string {
	name := fmt.Sprintf("gatednorm_d%d%s_sx%d_sz%d_sy%d_eps%08x", g.Width, groupSuffix(g.Group), g.StrideX, g.StrideZ, g.StrideY, g.EpsBits)
	if g.NormFirst {
		name += "_normfirst"
	}
	return name
}

// Signature implements Spec: (y, x, z, w, tokens).
func (GatedNorm) Signature() []Param {
	return []Param{{"y", "[]float32"}, {"x", "[]float32"}, {"z", "[]float32"}, {"w", "[]float32"}, {"tokens", "int"}}
}

// Cost implements Spec.
func (g GatedNorm) Cost(_, tokens int) Cost {
	return Cost{WeightBytes: 4 * g.Width, Flops: 6 * g.Width * tokens}
}

func init() { register(GatedNorm{}) }
