package build

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// Mamba3Inputs are the arguments of Mamba-3's scan, B and C normed.
type Mamba3Inputs struct{ X, B, C, Dt, A, Trap, Angle *ir.Value }

// Mamba3Weights are its parameters; X, what each rank takes x by, is nil with
// one rank that takes it as it is.
type Mamba3Weights struct{ DtBias, BBias, CBias, D, X *ir.Param }

// Mamba3States are its states: θ, s, and what the last token left.
type Mamba3States struct{ Angles, SSM, Key, Value *ir.State }

// Mamba3 is the scan of Mamba-3 with everything given.
func (b *Builder) Mamba3(o op.Mamba3, in Mamba3Inputs, w Mamba3Weights, s Mamba3States) *ir.Value {
	return b.Op(o, []*ir.Value{in.X, in.B, in.C, in.Dt, in.A, in.Trap, in.Angle},
		[]*ir.Param{w.DtBias, w.BBias, w.CBias, w.D, w.X}, []*ir.State{s.Angles, s.SSM, s.Key, s.Value})
}

// Mamba3Gate gates and adds up the ranks of y. What each rank takes the gate
// and the result by, and the weight of the norm, may be nil.
func (b *Builder) Mamba3Gate(o op.Mamba3Gate, y, z *ir.Value, mimoZ, mimoO, norm *ir.Param) *ir.Value {
	return b.Op(o, []*ir.Value{y, z}, []*ir.Param{mimoZ, mimoO, norm}, nil)
}
