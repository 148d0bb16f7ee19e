package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
	"github.com/mambac/mambac/ir/op"
)

// MoE is a router and X experts, each an MLP (families.md §1.9).
type MoE struct {
	Router   *ir.Param // [X,D]
	Bias     *ir.Param // [X], added where experts are chosen; nil for none
	Route    op.Route
	In, Down *ir.Param // [X·2I,D], gate above up, or with Plain [X·I,D]; [X·D,I]
	Function string    // the activation
	Plain    bool      // experts have no gate
}

// Append adds router and experts to the region at hand. x is the normed input.
func (p *MoE) Append(b *build.Builder, x *ir.Value) *ir.Value {
	return p.Experts(b, x, p.Weights(b, x))
}

// Weights is what the router makes of x: of every expert, 0 if it is not chosen.
func (p *MoE) Weights(b *build.Builder, x *ir.Value) *ir.Value {
	return b.Route(p.Route, b.Linear(x, p.Router, nil), p.Bias)
}

// Experts is the sum of the experts by their weights.
func (p *MoE) Experts(b *build.Builder, x, weights *ir.Value) *ir.Value {
	return b.Experts(op.Experts{Function: p.Function, Plain: p.Plain, Top: p.Route.Top}, x, weights, p.In, p.Down)
}
