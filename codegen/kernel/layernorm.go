package kernel

import (
	"fmt"
	"math"
)

// LayerNorm is y = (x−mean) · 1/√(var+eps) · w + b for a run of tokens
// (families.md §0.2, 3), with the variance of the whole population:
//
//	mean = Σ x / Width,  d = x − mean,  var = Σ d² / Width
//	y    = fma(d·scale, w, b)                 with Bias, else (d·scale)·w
//
// Both sums are of 16 partial sums (element i adds to sum i mod 16, in ascending
// i, squares by fma), reduced as a tree: lane j with j+8, then j+4, j+2, j+1 —
// the same in every level. Root and divisions are correctly rounded. y may
// alias x where the strides are equal.
type LayerNorm struct {
	Width   int
	StrideX int
	StrideY int
	EpsBits uint32 // float32 bits of eps, so that specs compare
	Bias    bool
}

// Eps is the constant under the root.
func (n LayerNorm) Eps() float32 { return math.Float32frombits(n.EpsBits) }

// Kind implements Spec.
func (LayerNorm) Kind() string { return "layernorm" }

// Name implements Spec.
func (n LayerNorm) Name() string {
	name := fmt.Sprintf("layernorm_d%d_sx%d_sy%d_eps%08x", n.Width, n.StrideX, n.StrideY, n.EpsBits)
	if n.Bias {
		name += "_bias"
	}
	return name
}

// Signature implements Spec: (y, x, w, [bias], tokens).
func (n LayerNorm) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"x", "[]float32"}, {"w", "[]float32"}}
	if n.Bias {
		p = append(p, Param{"bias", "[]float32"})
	}
	return append(p, Param{"tokens", "int"})
}

// Cost implements Spec.
func (n LayerNorm) Cost(_, tokens int) Cost {
	return Cost{WeightBytes: 8 * n.Width, Flops: 7 * n.Width * tokens}
}

func init() { register(LayerNorm{}) }
