package kernel

import "fmt"

// RoPE turns the first Rotary elements of every head of a run of tokens by
// angles (families.md §1.7); the others are copied. Elements i and j of a head,
// j = i + Rotary/2, or with Interleaved 2i and 2i+1, become
//
//	y_i = x_i·cos_i − x_j·sin_i,  y_j = x_j·cos_i + x_i·sin_i
//
// by a product with cos_i, rounded, and a fused multiply-add of the other one.
// Token t of x and y is at t·StrideX and t·StrideY; that of angles at t·StrideA,
// Rotary/2 cosines and as many sines. y may alias x where the strides are equal.
type RoPE struct {
	Width       int // of all heads
	HeadDim     int
	Rotary      int
	StrideX     int
	StrideA     int
	StrideY     int
	Interleaved bool
}

// Kind implements Spec.
func (RoPE) Kind() string { return "rope" }

// Name implements Spec.
func (r RoPE) Name() string {
	name := fmt.Sprintf("rope_d%d_h%d_r%d_sx%d_sa%d_sy%d", r.Width, r.HeadDim, r.Rotary, r.StrideX, r.StrideA, r.StrideY)
	if r.Interleaved {
		name += "_interleaved"
	}
	return name
}

// Signature implements Spec: (y, x, angles, tokens).
func (RoPE) Signature() []Param {
	return []Param{{"y", "[]float32"}, {"x", "[]float32"}, {"angles", "[]float32"}, {"tokens", "int"}}
}

// Cost implements Spec.
func (r RoPE) Cost(_, tokens int) Cost {
	return Cost{Flops: 3 * r.Width / r.HeadDim * r.Rotary * tokens}
}

func init() { register(RoPE{}) }
