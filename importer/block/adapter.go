package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// Adapter is what one user of a shared matrix adds to it: Second·First·x, of
// low rank (families.md §11).
type Adapter struct {
	First, Second *ir.Param // [A,D], [O,A]
}

// Linear is W·x + bias and what the adapter adds, if there is one.
func (p *Adapter) Linear(b *build.Builder, x *ir.Value, w, bias *ir.Param) *ir.Value {
	y := b.Linear(x, w, bias)
	if p == nil {
		return y
	}
	return b.Add(y, b.Linear(b.Linear(x, p.First, nil), p.Second, nil))
}
