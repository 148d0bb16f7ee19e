package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// LatentMoE is experts between projections to a narrower stream and back, and
// an MLP beside them (families.md §10). The router and the MLP read the wide
// stream. Without a narrower one the projections are nil, as are biases that a
// checkpoint does not have.
type LatentMoE struct {
	Routed         *MoE
	In, InBias     *ir.Param // [Z,D], [Z]
	Back, BackBias *ir.Param // [D,Z], [D]
	Shared         *PlainMLP
}

// Append adds all of it to the region at hand. x is the normed input.
func (p *LatentMoE) Append(b *build.Builder, x *ir.Value) *ir.Value {
	weights, y := p.Routed.Weights(b, x), x
	if p.In != nil {
		y = b.Linear(y, p.In, p.InBias)
	}
	y = p.Routed.Experts(b, y, weights)
	if p.Back != nil {
		y = b.Linear(y, p.Back, p.BackBias)
	}
	return b.Add(y, p.Shared.Append(b, x))
}
