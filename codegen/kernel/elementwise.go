package kernel

import (
	"fmt"
	"math"
	"strings"
)

// Map applies a scalar function to rows of Width elements: one argument
// (silu, gelu, …) or two (add, mul, and act(a)·b of the gated linear units). It
// expresses ops that no pass has fused. y may alias an argument where the
// strides are equal.
type Map struct {
	Function Function
	Width    int
	StrideA  int
	StrideB  int // of the second argument; 0 with one
	StrideY  int
	ByBits   uint32 // float32 bits of the factor of scale, so that specs compare
}

// Function is the scalar function of a Map.
type Function string

// The functions of Map.
const (
	MapSiLU     Function = "silu"
	MapSoftplus Function = "softplus"
	MapGELU     Function = "gelu"      // x·Φ(x)
	MapGELUTanh Function = "gelu_tanh" // x·σ(2·√(2/π)·(x + 0.044715·x³))
	MapReLU     Function = "relu"
	MapReLU2    Function = "relu2" // relu, squared
	MapSigmoid  Function = "sigmoid"
	MapScale    Function = "scale" // By·x
	MapCopy     Function = "copy"
	MapZero     Function = "zero" // 0, whatever x
	MapAdd      Function = "add"
	MapMul      Function = "mul"
)

// gated ends the names of functions of two arguments, act(a)·b.
const gated = "_mul"

// Gated is the function act(a)·b.
func (f Function) Gated() Function { return f + gated }

// Gate is act of act(a)·b; false for other functions.
func (f Function) Gate() (Function, bool) {
	act, ok := strings.CutSuffix(string(f), gated)
	return Function(act), ok
}

// Binary reports whether the function takes two arguments.
func (f Function) Binary() bool {
	_, isGated := f.Gate()
	return isGated || f == MapAdd || f == MapMul
}

// By is the factor of scale.
func (m Map) By() float32 { return math.Float32frombits(m.ByBits) }

// Kind implements Spec.
func (Map) Kind() string { return "map" }

// Name implements Spec.
func (m Map) Name() string {
	function := string(m.Function)
	if m.Function == MapScale {
		function = fmt.Sprintf("scale%08x", m.ByBits)
	}
	if m.Function.Binary() {
		return fmt.Sprintf("map_%s_d%d_sa%d_sb%d_sy%d", function, m.Width, m.StrideA, m.StrideB, m.StrideY)
	}
	return fmt.Sprintf("map_%s_d%d_sa%d_sy%d", function, m.Width, m.StrideA, m.StrideY)
}

// Signature implements Spec: (y, a, [b], tokens).
func (m Map) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"a", "[]float32"}}
	if m.Function.Binary() {
		p = append(p, Param{"b", "[]float32"})
	}
	return append(p, Param{"tokens", "int"})
}

// Cost implements Spec.
func (m Map) Cost(_, tokens int) Cost { return Cost{Flops: m.Width * tokens} }

func init() { register(Map{}) }
