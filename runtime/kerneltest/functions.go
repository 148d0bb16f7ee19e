package kerneltest

import "math"

// The scalar functions: a value and the error that code for float32 is
// allowed, about four units in the last place and what the end of the range
// costs.

const (
	functionError = 8 * epsilon
	// siluFloor is what silu may lose where e⁻ˣ is out of range: 89·e⁻⁸⁸.
	siluFloor = 0x1p-120
)

// silu is x·σ(x). At −Inf the formula has no value, and anything goes.
func silu(x float64) (value, bound float64) {
	if math.IsInf(x, -1) {
		return 0, math.Inf(1)
	}
	value = x / (1 + math.Exp(-x))
	return value, relative(value) + siluFloor
}

// softplus is x above 20, else log(1+eˣ).
func softplus(x float64) (value, bound float64) {
	value = x
	if !(x > 20) {
		value = math.Log1p(math.Exp(x))
	}
	return value, relative(value) + tiny
}

// relative is the error allowed in proportion; an infinity is no error.
func relative(value float64) float64 {
	if math.IsInf(value, 0) {
		return 0
	}
	return functionError * math.Abs(value)
}
