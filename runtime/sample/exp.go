package sample

import "math"

// The parts of ln 2: the high one has few enough digits that its product with
// an exponent is exact.
const (
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// exp is e^x for x ≤ 0, to within a few units in the last place. It is here
// because package math's differs between processors, as does a product that
// a compiler fuses with a sum: each product is rounded by its conversion.
func exp(x float64) float64 {
	if x < -708 { // beyond the normal numbers: no weight at all
		return 0
	}
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := x - float64(k*ln2High) - float64(k*ln2Low) // |r| ≤ ln 2 / 2
	// Taylor's series, odd and even powers apart: two chains run at once.
	s := float64(r * r)
	odd := float64(s*(1.0/6227020800)) + 1.0/39916800
	even := float64(s*(1.0/479001600)) + 1.0/3628800
	odd = float64(odd*s) + 1.0/362880
	even = float64(even*s) + 1.0/40320
	odd = float64(odd*s) + 1.0/5040
	even = float64(even*s) + 1.0/720
	odd = float64(odd*s) + 1.0/120
	even = float64(even*s) + 1.0/24
	odd = float64(odd*s) + 1.0/6
	even = float64(even*s) + 1.0/2
	odd = float64(odd*s) + 1
	even = float64(even*s) + 1
	sum := even + float64(odd*r)
	return sum * math.Float64frombits(uint64(1023+int64(k))<<52)
}
