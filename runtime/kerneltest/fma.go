package kerneltest

import "math"

// FMA32 is a·b + c rounded once, as the CPU's float32 fused multiply-add.
//
// The product is exact in float64. The sum is rounded to odd there (its last
// bit tells that something was cut off), so that the second rounding, to
// float32, errs no more than one rounding of the exact sum.
func FMA32(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	addend := float64(c)
	s := p + addend
	v := s - p
	lost := (p - (s - v)) + (addend - v)
	bits := math.Float64bits(s)
	if lost != 0 && bits&1 == 0 && !math.IsInf(s, 0) && s == s {
		if (lost > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
		s = math.Float64frombits(bits)
	}
	return float32(s)
}
