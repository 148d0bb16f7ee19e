package op

import (
	"math"

	"github.com/mambac/mambac/ir"
)

// SiLU is x·σ(x) (families.md §1.1). Arguments: x.
type SiLU struct{}

// Softplus is x above 20, else log(1+eˣ) (families.md §1.1). Arguments: x.
type Softplus struct{}

// Add is a + b. Arguments: a, b of one width.
type Add struct{}

// Mul is a·b, element by element. Arguments: a, b of one width.
type Mul struct{}

func init() {
	register(SiLU{})
	register(Softplus{})
	register(Add{})
	register(Mul{})
}

// OpName implements ir.Op.
func (SiLU) OpName() string { return "silu" }

// OpName implements ir.Op.
func (Softplus) OpName() string { return "softplus" }

// OpName implements ir.Op.
func (Add) OpName() string { return "add" }

// OpName implements ir.Op.
func (Mul) OpName() string { return "mul" }

// Infer implements ir.Op.
func (SiLU) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	return unary(args, params, states)
}

// Infer implements ir.Op.
func (Softplus) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	return unary(args, params, states)
}

// Infer implements ir.Op.
func (Add) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	return binary(args, params, states)
}

// Infer implements ir.Op.
func (Mul) Infer(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	return binary(args, params, states)
}

func unary(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 1, 0, 0, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	return args[0], nil
}

func binary(args []ir.Type, params []*ir.Param, states []*ir.State) (ir.Type, error) {
	if err := first(want(args, params, states, 2, 0, 0, 0), floats(args)); err != nil {
		return ir.Type{}, err
	}
	return args[0], width(args, 1, args[0].Width)
}

// Step implements ir.Op.
func (SiLU) Step(f *ir.Frame) { apply(f, silu) }

// Step implements ir.Op.
func (Softplus) Step(f *ir.Frame) { apply(f, softplus) }

// Step implements ir.Op.
func (Add) Step(f *ir.Frame) {
	for i := range f.Out {
		f.Out[i] = f.Args[0][i] + f.Args[1][i]
	}
}

// Step implements ir.Op.
func (Mul) Step(f *ir.Frame) {
	for i := range f.Out {
		f.Out[i] = f.Args[0][i] * f.Args[1][i]
	}
}

func apply(f *ir.Frame, g func(float64) float64) {
	for i, v := range f.Args[0] {
		f.Out[i] = float32(g(float64(v)))
	}
}

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

func softplus(x float64) float64 {
	if x > 20 {
		return x
	}
	return math.Log1p(math.Exp(x))
}

// Cost implements ir.Op.
func (SiLU) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost { return elementCost(args) }

// Cost implements ir.Op.
func (Softplus) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost { return elementCost(args) }

// Cost implements ir.Op.
func (Add) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost { return elementCost(args) }

// Cost implements ir.Op.
func (Mul) Cost(args []ir.Type, _ []*ir.Param, _ []*ir.State) ir.Cost { return elementCost(args) }

func elementCost(args []ir.Type) ir.Cost { return ir.Cost{Flops: args[0].Width} }
