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

// activations holds the functions by their names in kernel specs.
var activations = map[string]func(x float64) (value, bound float64){
	"silu": silu, "softplus": softplus, "gelu": gelu, "gelu_tanh": geluTanh, "relu": relu, "relu2": relu2, "sigmoid": sigmoid,
}

// gelu is x·Φ(x). Far below zero it is as accurate as x² is. At −Inf the formula
// has no value.
func gelu(x float64) (value, bound float64) {
	if math.IsInf(x, -1) {
		return 0, math.Inf(1)
	}
	value = x / 2 * math.Erfc(-x/math.Sqrt2)
	return value, relative(value)*(1+x*x/4*below(x)) + siluFloor
}

// geluTanh is x·σ(2v) with v = √(2/π)·(x + 0.044715·x³), below zero as accurate as
// v is. At −Inf the formula has no value.
func geluTanh(x float64) (value, bound float64) {
	if math.IsInf(x, -1) {
		return 0, math.Inf(1)
	}
	v := math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x)
	value = x / (1 + math.Exp(-2*v))
	return value, relative(value)*(1-v*below(x)) + siluFloor
}

// below is 1 below zero, else 0.
func below(x float64) float64 {
	if x < 0 {
		return 1
	}
	return 0
}

// relu is the larger one of x and 0, which may be −0.
func relu(x float64) (value, bound float64) { return max(x, 0), math.SmallestNonzeroFloat32 }

// relu2 is the square of relu.
func relu2(x float64) (value, bound float64) {
	value = max(x, 0) * max(x, 0)
	if value > math.MaxFloat32/2 {
		return value, math.Inf(1)
	}
	return value, epsilon*value + math.SmallestNonzeroFloat32
}

// sigmoid is 1/(1+e⁻ˣ).
func sigmoid(x float64) (value, bound float64) {
	value = 1 / (1 + math.Exp(-x))
	return value, relative(value) + siluFloor
}

// relative is the error allowed in proportion; an infinity is no error.
func relative(value float64) float64 {
	if math.IsInf(value, 0) {
		return 0
	}
	return functionError * math.Abs(value)
}
