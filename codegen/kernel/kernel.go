// Package kernel defines kernel specs: what a kernel computes, with every
// shape and constant fixed, independent of the CPU that will run it.
package kernel

import "strings"

// Layout constants shared by packing and by every kernel of every level.
const (
	// PanelRows is the height of a packed weight panel in output rows.
	PanelRows = 48
	// GroupChannels is the number of channels that channel-wise kernels
	// (conv, scan) treat together: one AVX-512 register of float32.
	GroupChannels = 16
)

// Pad rounds n output rows or channels up to whole panels.
func Pad(n int) int { return (n + PanelRows - 1) / PanelRows * PanelRows }

// PadGroup rounds n rows of a head up to whole groups of channels.
func PadGroup(n int) int { return (n + GroupChannels - 1) / GroupChannels * GroupChannels }

// Spec is one kernel with all its constants. Implementations are comparable
// structs: equal specs are emitted once.
type Spec interface {
	// Kind is the species: gemv, gemm, rmsnorm, conv, scan1, …
	Kind() string
	// Name reads aloud and is unique: gemv_bf16_k768_add.
	Name() string
	// Signature lists the parameters of the emitted function, in order. All
	// kernels return nothing.
	Signature() []Param
	// Cost is per call with the given counts of units.
	Cost(units, tokens int) Cost
}

// Param is one parameter of an emitted kernel.
type Param struct {
	Name string
	Type string // Go type: []float32, []uint16, []uint8, []int32, int
}

// Cost is what one call moves and computes.
type Cost struct {
	WeightBytes, StateBytes int
	Flops                   int
}

// GoName is the spec's name as a Go identifier without level suffix:
// gemv_bf16_k768_add → gemvBf16K768Add.
func GoName(s Spec) string {
	parts := strings.Split(s.Name(), "_")
	for i, p := range parts[1:] {
		parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
	}
	return strings.Join(parts, "")
}

// Epilogue is the work fused before a linear's store, in this order: add the
// bias, then add the residual.
type Epilogue struct {
	Bias, Residual bool
}

func (e Epilogue) suffix() string {
	s := ""
	if e.Bias {
		s += "_bias"
	}
	if e.Residual {
		s += "_add"
	}
	return s
}

func (e Epilogue) params() []Param {
	var p []Param
	if e.Bias {
		p = append(p, Param{"bias", "[]float32"})
	}
	if e.Residual {
		p = append(p, Param{"residual", "[]float32"})
	}
	return p
}
