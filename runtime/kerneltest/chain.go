package kerneltest

import "math"

// epsilon is half the distance from 1 to the next float32: the largest
// relative error of one rounding.
const epsilon = 0x1p-24

// tiny is a number below which float32 has no relative precision left.
const tiny = 0x1p-125

// chain is a sum of products, exactly as a chain of float32 fused
// multiply-adds gives it, with what bounds other ways of rounding it.
type chain struct {
	sum   float32
	terms int
	size  float64 // Σ|finite terms|
	// Where levels may add pairs of bf16 by an instruction for them: what it may
	// lose of denormal factors, products and sums.
	pairs bool
	lost  float64
}

// fma adds a product.
func (s *chain) fma(a, b float32) {
	s.sum = FMA32(a, b, s.sum)
	s.count(float64(a) * float64(b))
}

// add adds a number.
func (s *chain) add(a float32) {
	s.sum += a
	s.count(float64(a))
}

// mul multiplies the sum; what overflowed on the way may overflow in other ways.
func (s *chain) mul(a float32) {
	s.sum *= a
	s.terms++
	if s.size > math.MaxFloat32/4 {
		s.size = math.Inf(1)
	} else if s.size > 0 && a == a {
		s.size *= math.Abs(float64(a))
	}
}

func (s *chain) count(term float64) {
	s.terms++
	if term = math.Abs(term); term <= math.MaxFloat64 {
		s.size += term
	}
}

// looseBound is how far a chain that rounds every product may be from this
// one. Where partial sums might overflow, anything goes.
func (s *chain) looseBound() float64 {
	if s.size > math.MaxFloat32/4 {
		return math.Inf(1)
	}
	n := float64(s.terms)
	return 2*(n+1)*epsilon*s.size + n*math.SmallestNonzeroFloat32 + s.lost
}

// strictBound is how far code may be that keeps the order of operations: not at
// all, but where the kind leaves that of pairs to the level.
func (s *chain) strictBound() float64 {
	if s.pairs {
		return s.looseBound()
	}
	return 0
}

// dot is the chain of one output row.
func dot(w weights, panel, row int, x []float32) *chain {
	s := &chain{}
	for k, v := range x {
		s.fma(w.at(panel, row, k), v)
	}
	return s
}
