package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// Zamba2 is a block of attention and MLP that several layers share, as one of
// them uses it (families.md §11): the adapters, and Out, are its own. There are
// no residuals within.
type Zamba2 struct {
	InputNorm, MLPNorm  *ir.Param  // [2D], [D]
	Attention           *Attention // from 2D to D
	QueryAdapter        *Adapter   // nil for none, as those of keys and values
	KeyAdapter          *Adapter
	ValueAdapter        *Adapter
	GateUp, GateUpBias  *ir.Param // [2I,D], [2I]
	GateUpAdapter       *Adapter
	Down, DownBias, Out *ir.Param // [D,I], [D], [D,D]
	Function            string    // of the gate
	Eps                 float32   // of the norms
}

// Append adds the block to the region at hand. x is the stream and first the
// embedding; state names begin with the given prefix. Angles are nil for none.
func (p *Zamba2) Append(b *build.Builder, x, first *ir.Value, prefix string, angles *ir.Value) *ir.Value {
	h := b.RMSNorm(b.Concat(x, first), p.InputNorm, p.Eps)
	a := p.Attention
	q, k, v := p.QueryAdapter.Linear(b, h, a.Q, a.QBias), p.KeyAdapter.Linear(b, h, a.K, a.KBias), p.ValueAdapter.Linear(b, h, a.V, a.VBias)
	h = b.RMSNorm(b.Linear(a.Mix(b, q, k, v, prefix, angles), a.O, a.OBias), p.MLPNorm, p.Eps)
	inner := p.Down.Shape[1]
	gateUp := b.Split(p.GateUpAdapter.Linear(b, h, p.GateUp, p.GateUpBias), inner, inner)
	return b.Linear(b.Linear(b.GLU(gateUp[0], gateUp[1], p.Function), p.Down, p.DownBias), p.Out, nil)
}
