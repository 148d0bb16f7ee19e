package kernel

import (
	"fmt"
	"math"
)

// Angles is what rotary embeddings turn by (families.md §1.7): of token t, whose
// place in the sequence is position + t, for each of Count frequencies
//
//	y[i] = cos(a_i)·Factor,  y[Count+i] = sin(a_i)·Factor
//	a_i  = float32(position + t)·f[i]
//
// The product is rounded to float32, and so are cosine and sine before they are
// multiplied. Token t of y is at t·StrideY.
type Angles struct {
	Count      int
	StrideY    int
	FactorBits uint32 // float32 bits, so that specs compare
}

// Factor multiplies cosines and sines.
func (a Angles) Factor() float32 { return math.Float32frombits(a.FactorBits) }

// Kind implements Spec.
func (Angles) Kind() string { return "angles" }

// Name implements Spec.
func (a Angles) Name() string {
	return fmt.Sprintf("angles_n%d_sy%d_by%08x", a.Count, a.StrideY, a.FactorBits)
}

// Signature implements Spec: (y, f, position, tokens).
func (Angles) Signature() []Param {
	return []Param{{"y", "[]float32"}, {"f", "[]float32"}, {"position", "int"}, {"tokens", "int"}}
}

// Cost implements Spec.
func (a Angles) Cost(_, tokens int) Cost {
	return Cost{WeightBytes: 4 * a.Count, Flops: 50 * a.Count * tokens}
}

func init() { register(Angles{}) }
