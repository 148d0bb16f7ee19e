// Package kernel defines kernel specs: what a kernel computes, with every
// shape and constant fixed, independent of the CPU that will run it.
package kernel

import (
	"strings"

	"github.com/mambac/mambac/ir/tensor"
)

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
	Type string // Go type: []float32, []uint16, []int32, int
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

// Storage is a weight format as kernels see it.
type Storage string

// The formats of this package's dot products.
const (
	F32  Storage = "f32"
	F16  Storage = "f16"
	BF16 Storage = "bf16"
)

// WeightType is the Go type of a slice of packed weights.
func (s Storage) WeightType() string {
	if s == F32 {
		return "[]float32"
	}
	return "[]uint16"
}

// ElementBytes is the size of one packed element.
func (s Storage) ElementBytes() int {
	if s == F32 {
		return 4
	}
	return 2
}

// PanelElements is the number of packed elements of one panel of K columns:
// 16-bit formats hold k pairs, so an odd K is padded by one zero column.
func (s Storage) PanelElements(k int) int {
	if s != F32 {
		k += k & 1
	}
	return PanelRows * k
}

// Index is the position of (row, k) inside a packed panel. f32 stores the 48
// rows of one k after those of the previous k; the 16-bit formats store pairs
// (k, k+1) of one row side by side, so that a 32-bit lane holds both.
func (s Storage) Index(row, k int) int {
	if s == F32 {
		return k*PanelRows + row
	}
	return (k/2)*2*PanelRows + row*2 + k&1
}

// StorageOf gives the storage that keeps an element type without loss.
func StorageOf(d tensor.DType) Storage {
	switch d {
	case tensor.F16:
		return F16
	case tensor.BF16:
		return BF16
	}
	return F32
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
