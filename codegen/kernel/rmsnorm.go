package kernel

import (
	"fmt"
	"math"
)

// RMSNorm is y = x · 1/√(mean(x²)+eps) · w for a run of tokens (families.md
// §1.3), of all of a row or of each group of neighbouring elements. The sum of
// squares of a group is taken in 16 partial sums (its element i adds to sum
// i mod 16, in ascending i, by fma; elements past the last whole 16 add to
// their own lane) reduced as a tree: lane j with j+8, then j+4, j+2, j+1 — the
// same in every level. The root and the division are correctly rounded. y may
// alias x where the strides are equal.
type RMSNorm struct {
	Width   int
	Group   int // elements of a group, of which Width is a multiple; 0 for all
	StrideX int
	StrideY int
	EpsBits uint32 // float32 bits of eps, so that specs compare
	Weight  bool   // false: no weight parameter
	Shared  bool   // w has the width of a group and serves all of them
}

// Eps is the constant under the root.
func (r RMSNorm) Eps() float32 { return math.Float32frombits(r.EpsBits) }

// Elements is the number of elements of a mean.
func (r RMSNorm) Elements() int { return groupOf(r.Group, r.Width) }

// groupOf is the size of a group; 0 stands for the whole width.
func groupOf(group, width int) int {
	if group == 0 {
		return width
	}
	return group
}

// Kind implements Spec.
func (RMSNorm) Kind() string { return "rmsnorm" }

// Name implements Spec.
func (r RMSNorm) Name() string {
	name := fmt.Sprintf("rmsnorm_d%d%s_sx%d_sy%d_eps%08x", r.Width, groupSuffix(r.Group), r.StrideX, r.StrideY, r.EpsBits)
	switch {
	case !r.Weight:
		return name + "_weightless"
	case r.Shared:
		return name + "_shared"
	}
	return name
}

// groupSuffix is a group size as part of a spec's name.
func groupSuffix(group int) string {
	if group == 0 {
		return ""
	}
	return fmt.Sprintf("_g%d", group)
}

// Signature implements Spec: (y, x, [w], tokens).
func (r RMSNorm) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"x", "[]float32"}}
	if r.Weight {
		p = append(p, Param{"w", "[]float32"})
	}
	return append(p, Param{"tokens", "int"})
}

// Cost implements Spec.
func (r RMSNorm) Cost(_, tokens int) Cost {
	return Cost{WeightBytes: 4 * r.Width, Flops: 4 * r.Width * tokens}
}

func init() { register(RMSNorm{}) }
