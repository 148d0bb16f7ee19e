// Package block holds the layer blocks that families share: they append a
// mixer, an MLP or attention to a module. It sees ir/build and ir/op.
package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// Mamba1 is the parameters of one Mamba-1 mixer (families.md §2); biases that
// a checkpoint does not have are nil.
type Mamba1 struct {
	InProj, InProjBias   *ir.Param // [2E,D], [2E]
	Conv, ConvBias       *ir.Param // [E,1,K], [E]
	XProj                *ir.Param // [R+2N,E]
	DtProj, DtProjBias   *ir.Param // [E,R], [E]
	A, D                 *ir.Param // [E,N] with the transform NegExp, [E]
	OutProj, OutProjBias *ir.Param // [D,E], [D]
	Activation           string    // of the conv
	Norms                *Mamba1Norms
}

// Mamba1Norms are RMS norms of what x_proj gives (families.md §2, step 4); a
// nil Mamba1Norms is none.
type Mamba1Norms struct {
	Dt, B, C *ir.Param // weights [R], [N], [N]; nil for norms without
	Eps      float32
}

// apply norms δ, B and C.
func (n *Mamba1Norms) apply(b *build.Builder, parts []*ir.Value) {
	if n == nil {
		return
	}
	for i, w := range []*ir.Param{n.Dt, n.B, n.C} {
		parts[i] = b.RMSNorm(parts[i], w, n.Eps)
	}
}

// Append adds the mixer to the region at hand. x is the normed input; state
// names begin with the given prefix.
func (p *Mamba1) Append(b *build.Builder, x *ir.Value, prefix string) *ir.Value {
	inner, states := p.A.Shape[0], p.A.Shape[1]
	rank, taps := p.DtProj.Shape[1], p.Conv.Shape[2]
	uz := b.Split(b.Linear(x, p.InProj, p.InProjBias), inner, inner)
	window := b.State(prefix+".conv", ir.Window, inner, taps-1)
	u := b.Activate(b.Conv(uz[0], p.Conv, p.ConvBias, taps, window), p.Activation)
	parts := b.Split(b.Linear(u, p.XProj, nil), rank, states, states)
	p.Norms.apply(b, parts)
	delta := b.Softplus(b.Linear(parts[0], p.DtProj, p.DtProjBias))
	h := b.State(prefix+".ssm", ir.Recurrence, inner, states)
	y := b.Scan1(u, delta, parts[1], parts[2], p.A, p.D, h)
	return b.Linear(b.Mul(y, b.SiLU(uz[1])), p.OutProj, p.OutProjBias)
}
