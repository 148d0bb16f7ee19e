package kernel

import (
	"fmt"
	"math"
)

// RMSNorm is y = x · 1/√(mean(x²)+eps) · w for a run of tokens (families.md
// §1.3). The sum of squares is taken in 16 partial sums (element i adds to sum
// i mod 16, in ascending i, by fma; elements past the last whole 16 add to
// their own lane) reduced as a tree: lane j with j+8, then j+4, j+2, j+1 — the
// same in every level. The root and the division are correctly rounded. y may
// alias x where the strides are equal.
type RMSNorm struct {
	Width   int
	StrideX int
	StrideY int
	EpsBits uint32 // float32 bits of eps, so that specs compare
	Weight  bool   // false: no weight parameter
}

// Eps is the constant under the root.
func (r RMSNorm) Eps() float32 { return math.Float32frombits(r.EpsBits) }

// Kind implements Spec.
func (RMSNorm) Kind() string { return "rmsnorm" }

// Name implements Spec.
func (r RMSNorm) Name() string {
	weightless := ""
	if !r.Weight {
		weightless = "_weightless"
	}
	return fmt.Sprintf("rmsnorm_d%d_sx%d_sy%d_eps%08x%s", r.Width, r.StrideX, r.StrideY, r.EpsBits, weightless)
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
