package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/op"
)

// Mamba3 is the parameters of one Mamba-3 mixer (families.md §4); those that a
// mixer of one rank or without a norm does not have are nil. The sizes are those
// of Scan.
type Mamba3 struct {
	InProj       *ir.Param // [2E+2RGN+3H+S,D]
	DtBias, D    *ir.Param // [H] twice
	BNorm, CNorm *ir.Param // [N] twice, of every rank and group
	BBias, CBias *ir.Param // [H,R,N] twice
	X, Z, O      *ir.Param // [H,R,P] three times, or nil
	Norm         *ir.Param // [E], or nil
	OutProj      *ir.Param // [D,E]

	Scan op.Mamba3
	Eps  float32 // of all norms
}

// Append adds the mixer to the region at hand. x is the normed input; state
// names begin with the given prefix.
func (p *Mamba3) Append(b *build.Builder, x *ir.Value, prefix string) *ir.Value {
	s := p.Scan
	inner, shared := s.Heads*s.HeadDim, s.Rank*s.Groups*s.States
	parts := b.Split(b.Linear(x, p.InProj, nil), inner, inner, shared, shared, s.Heads, s.Heads, s.Heads, s.Angles)
	in := build.Mamba3Inputs{X: parts[1], Dt: parts[4], A: parts[5], Trap: parts[6], Angle: parts[7]}
	in.B = b.GroupNorm(parts[2], p.BNorm, s.States, p.Eps)
	in.C = b.GroupNorm(parts[3], p.CNorm, s.States, p.Eps)
	y := b.Mamba3(s, in, build.Mamba3Weights{DtBias: p.DtBias, BBias: p.BBias, CBias: p.CBias, D: p.D, X: p.X}, p.states(b, prefix))
	gate := op.Mamba3Gate{HeadDim: s.HeadDim, Rank: s.Rank, Norm: p.Norm != nil}
	if gate.Norm {
		gate.Eps = p.Eps
	}
	return b.Linear(b.Mamba3Gate(gate, y, parts[0], p.Z, p.O, p.Norm), p.OutProj, nil)
}

func (p *Mamba3) states(b *build.Builder, prefix string) build.Mamba3States {
	s := p.Scan
	return build.Mamba3States{
		Angles: b.State(prefix+".angles", ir.Recurrence, s.Heads, s.Angles),
		SSM:    b.State(prefix+".ssm", ir.Recurrence, s.Heads, s.HeadDim, s.States),
		Key:    b.State(prefix+".key", ir.Recurrence, s.Heads, s.Rank, s.States),
		Value:  b.State(prefix+".value", ir.Recurrence, s.Heads, s.HeadDim),
	}
}
