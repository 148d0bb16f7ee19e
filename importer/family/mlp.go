package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
)

// mlp is what configs say of gated MLPs of three matrices (families.md §1.8).
type mlp struct {
	inner     size
	function  string // the activation
	bias      bool   // of all three
	gateScale float32
}

// names lists what an MLP stores.
func (m *mlp) names(prefix string) []string {
	list := []string{"gate_proj.weight", "up_proj.weight", "down_proj.weight"}
	if m.bias {
		list = append(list, "gate_proj.bias", "up_proj.bias", "down_proj.bias")
	}
	return prefixed(prefix, list...)
}

// learn reads the size that the config does not give off the MLP whose tensors
// have the prefix.
func (m *mlp) learn(s *Set, prefix string) { s.learn(&m.inner, prefix+"gate_proj.weight", 0) }

// parameters is the MLP whose tensors have the prefix.
func (m *mlp) parameters(s *Set, prefix string, width size) *block.MLP {
	inner, hidden := m.inner.times(1), width.times(1)
	project := func(name string, rows, columns axis) (w, bias *ir.Param) {
		w = s.shaped(prefix+name+".weight", rows, columns)
		if m.bias {
			bias = s.shaped(prefix+name+".bias", rows)
		}
		return w, bias
	}
	p := &block.MLP{Function: m.function, GateScale: m.gateScale}
	p.Gate, p.GateBias = project("gate_proj", inner, hidden)
	p.Up, p.UpBias = project("up_proj", inner, hidden)
	p.Down, p.DownBias = project("down_proj", hidden, inner)
	return p
}
