package block

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// MLP is down( act(gate·x) · (up·x) ) (families.md §1.8). A checkpoint has Gate
// and Up or, one above the other, GateUp; biases that it does not have are nil.
type MLP struct {
	Gate, GateBias     *ir.Param // [I,D], [I]
	Up, UpBias         *ir.Param // [I,D], [I]
	GateUp, GateUpBias *ir.Param // [2I,D], [2I]; nil for Gate and Up
	Down, DownBias     *ir.Param // [D,I], [D]
	Function           string    // the activation
	GateScale          float32   // of gate·x before the activation; 0 stands for 1
}

// Append adds the MLP to the region at hand. x is the normed input.
func (p *MLP) Append(b *build.Builder, x *ir.Value) *ir.Value {
	gate, up := p.hidden(b, x)
	if p.GateScale != 0 {
		gate = b.Scale(gate, p.GateScale)
	}
	return b.Linear(b.GLU(gate, up, p.Function), p.Down, p.DownBias)
}

func (p *MLP) hidden(b *build.Builder, x *ir.Value) (gate, up *ir.Value) {
	if p.GateUp == nil {
		return b.Linear(x, p.Gate, p.GateBias), b.Linear(x, p.Up, p.UpBias)
	}
	inner := p.Down.Shape[1]
	halves := b.Split(b.Linear(x, p.GateUp, p.GateUpBias), inner, inner)
	return halves[0], halves[1]
}
