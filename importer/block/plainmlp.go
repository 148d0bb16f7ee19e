package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// PlainMLP is down·act(up·x), without a gate (families.md §1.8); biases that a
// checkpoint does not have are nil.
type PlainMLP struct {
	Up, UpBias     *ir.Param // [I,D], [I]
	Down, DownBias *ir.Param // [D,I], [D]
	Function       string    // the activation
}

// Append adds the MLP to the region at hand. x is the normed input.
func (p *PlainMLP) Append(b *build.Builder, x *ir.Value) *ir.Value {
	return b.Linear(b.Activate(b.Linear(x, p.Up, p.UpBias), p.Function), p.Down, p.DownBias)
}
