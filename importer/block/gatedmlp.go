package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// GatedMLP is the MLP of the state-spaces layout (families.md §1.8): of what In
// gives, the second half is activated.
type GatedMLP struct {
	In, Out *ir.Param // [2I,D], [D,I]
}

// Append adds the MLP to the region at hand. x is the normed input.
func (p *GatedMLP) Append(b *build.Builder, x *ir.Value) *ir.Value {
	inner := p.Out.Shape[1]
	halves := b.Split(b.Linear(x, p.In, nil), inner, inner)
	return b.Linear(b.GLU(halves[1], halves[0], "silu"), p.Out, nil)
}
