package kernel

import (
	"fmt"
	"math"
)

// Mamba3Gate gates the ranks of Mamba-3 and adds them up, for a run of tokens
// (families.md §4, steps 11 and 12):
//
//	g_r[h,p] = x[h,r,p]·silu(z[h,p]·mimoZ[h,r,p])                     or with Norm
//	g_r[h,p] = x[h,r,p]·scale·w[h,p]·silu(z[h,p]·mimoZ[h,r,p])
//	y[h,p]   = Σ_r mimoO[h,r,p]·g_r[h,p]
//
// where scale = 1/√(mean(x[h,r]²)+eps), as in RMSNorm. y may alias z where the
// strides are equal.
type Mamba3Gate struct {
	Width, HeadDim, Rank int // of y
	StrideX              int
	StrideZ              int
	StrideY              int
	EpsBits              uint32 // float32 bits of eps, so that specs compare
	Norm                 bool
}

// Eps is the constant under the root.
func (g Mamba3Gate) Eps() float32 { return math.Float32frombits(g.EpsBits) }

// Kind implements Spec.
func (Mamba3Gate) Kind() string { return "mamba3gate" }

// Name implements Spec.
func (g Mamba3Gate) Name() string {
	name := fmt.Sprintf("mamba3gate_d%d_p%d_r%d_sx%d_sz%d_sy%d", g.Width, g.HeadDim, g.Rank, g.StrideX, g.StrideZ, g.StrideY)
	if g.Norm {
		name += fmt.Sprintf("_norm_eps%08x", g.EpsBits)
	}
	return name
}

// Signature implements Spec: (y, x, z, mimoZ, mimoO, [w], tokens).
func (g Mamba3Gate) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"x", "[]float32"}, {"z", "[]float32"}, {"mimoZ", "[]float32"}, {"mimoO", "[]float32"}}
	if g.Norm {
		p = append(p, Param{"w", "[]float32"})
	}
	return append(p, Param{"tokens", "int"})
}

// Cost implements Spec.
func (g Mamba3Gate) Cost(_, tokens int) Cost {
	return Cost{WeightBytes: 4 * (2*g.Rank + 1) * g.Width, Flops: 8 * g.Rank * g.Width * tokens}
}

func init() { register(Mamba3Gate{}) }
