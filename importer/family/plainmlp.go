package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
)

// plainMLP is what configs say of MLPs without a gate (families.md §1.8).
type plainMLP struct {
	inner    size
	function string // the activation
	bias     bool   // of both matrices
}

// names lists what an MLP stores.
func (m *plainMLP) names(prefix string) []string {
	list := []string{"up_proj.weight", "down_proj.weight"}
	if m.bias {
		list = append(list, "up_proj.bias", "down_proj.bias")
	}
	return prefixed(prefix, list...)
}

// learn reads the size that the config does not give off the MLP whose tensors
// have the prefix.
func (m *plainMLP) learn(s *Set, prefix string) { s.learn(&m.inner, prefix+"up_proj.weight", 0) }

// parameters is the MLP whose tensors have the prefix.
func (m *plainMLP) parameters(s *Set, prefix string, width size) *block.PlainMLP {
	inner, hidden := m.inner.times(1), width.times(1)
	bias := func(name string, rows axis) *ir.Param {
		if !m.bias {
			return nil
		}
		return s.shaped(prefix+name, rows)
	}
	return &block.PlainMLP{
		Up: s.shaped(prefix+"up_proj.weight", inner, hidden), UpBias: bias("up_proj.bias", inner),
		Down: s.shaped(prefix+"down_proj.weight", hidden, inner), DownBias: bias("down_proj.bias", hidden),
		Function: m.function,
	}
}
