package kernel

import "fmt"

// Map applies a scalar function to rows of Width elements: one argument
// (silu, softplus) or two (add, mul). It expresses ops that no pass has fused.
// y may alias an argument where the strides are equal.
type Map struct {
	Function Function
	Width    int
	StrideA  int
	StrideB  int // of the second argument; 0 with one
	StrideY  int
}

// Function is the scalar function of a Map.
type Function string

// The functions of Map.
const (
	MapSiLU     Function = "silu"
	MapSoftplus Function = "softplus"
	MapCopy     Function = "copy"
	MapAdd      Function = "add"
	MapMul      Function = "mul"
)

// Binary reports whether the function takes two arguments.
func (f Function) Binary() bool { return f == MapAdd || f == MapMul }

// Kind implements Spec.
func (Map) Kind() string { return "map" }

// Name implements Spec.
func (m Map) Name() string {
	if m.Function.Binary() {
		return fmt.Sprintf("map_%s_d%d_sa%d_sb%d_sy%d", m.Function, m.Width, m.StrideA, m.StrideB, m.StrideY)
	}
	return fmt.Sprintf("map_%s_d%d_sa%d_sy%d", m.Function, m.Width, m.StrideA, m.StrideY)
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
