package kernel

import (
	"github.com/mambac/mambac/ir/storage"
)

// Storage is a weight format as kernels see it: its name in package storage,
// and how a panel of 48 rows lies in memory. Every panel is a run of units of
// UnitBytes: four bytes for each row, which hold as many columns as fit.
type Storage string

// The formats of this package's products.
const (
	F32  Storage = "f32"
	F16  Storage = "f16"
	BF16 Storage = "bf16"
	Int8 Storage = "int8"
	Int4 Storage = "int4"
)

// RowsTogether is how many rows of one column of f16 lie side by side.
const RowsTogether = 8

// UnitBytes is the size of a unit: three cache lines.
const UnitBytes = 4 * PanelRows

// Coded is the format of a storage that keeps codes and scales; false for one
// that keeps numbers.
func (s Storage) Coded() (*storage.Coded, bool) { return storage.LookupCoded(string(s)) }

// WeightType is the Go type of a slice of packed weights.
func (s Storage) WeightType() string {
	switch s {
	case F32:
		return "[]float32"
	case F16, BF16:
		return "[]uint16"
	}
	return "[]uint8"
}

// ElementBytes is the size of one element of that slice.
func (s Storage) ElementBytes() int {
	switch s {
	case F32:
		return 4
	case F16, BF16:
		return 2
	}
	return 1
}

// UnitColumns is the number of columns of a unit.
func (s Storage) UnitColumns() int {
	switch s {
	case F32:
		return 1
	case F16, BF16:
		return 2
	case Int8:
		return 4
	}
	return 8
}

// PanelElements is the number of packed elements of one panel of K columns:
// whole units, and of a storage with codes whole groups and the units of their
// scales.
func (s Storage) PanelElements(k int) int {
	if c, ok := s.Coded(); ok {
		return s.codedBytes(c.InputGroups(k))
	}
	columns := s.UnitColumns()
	return (k + columns - 1) / columns * columns * PanelRows
}

// Index is the position of (row, k) inside a packed panel of a storage that
// keeps numbers. f32 stores the 48 rows of one k after those of the previous k;
// the 16-bit formats store pairs of columns: of bf16 both numbers of one row side
// by side, so that a 32-bit lane holds both, since half of it is one; of f16
// eight rows of k, then the same of k+1, which an instruction widens.
func (s Storage) Index(row, k int) int {
	n := s.UnitColumns()
	if s == F16 {
		return (k/n*PanelRows+row/RowsTogether*RowsTogether)*n + k%n*RowsTogether + row%RowsTogether
	}
	return (k/n*PanelRows+row)*n + k%n
}

// A coded panel holds its columns in the groups that inputs of fast math are
// quantised in. Those of int8 come in pairs, each pair behind one unit of scales.
// In int4 the first unit of a panel holds the scales of its rows, and before each
// group there is a unit of multiples: for a row one byte for each scale.

// codedBytes is the size of a coded panel of some groups.
func (s Storage) codedBytes(groups int) int {
	c, _ := s.Coded()
	units := groups * c.Inputs / s.UnitColumns()
	if s == Int4 {
		return UnitBytes * (1 + groups + units)
	}
	return UnitBytes * ((groups+1)/2 + units)
}

// CodeIndex is the byte of a coded panel that holds the code of (row, k), and
// the bit where it begins: int8 stores four columns of a row side by side, int4
// eight, the first four in the low halves of four bytes.
func (s Storage) CodeIndex(row, k int) (at, bit int) {
	c, _ := s.Coded()
	g, columns := k/c.Inputs, s.UnitColumns()
	if s == Int8 {
		g = g / 2 * 2 // first group of the pair
	}
	in := k - g*c.Inputs
	at = s.codedBytes(g) + UnitBytes*(1+in/columns) + 4*row + in%columns%4
	return at, in % columns / 4 * c.Width
}

// ScaleIndex is the byte of a coded panel where the scale of a row's group of
// weights begins, or the multiple that it is: a unit holds two scales, or four
// multiples, side by side for a row.
func (s Storage) ScaleIndex(row, group int) int {
	if s == Int4 {
		c, _ := s.Coded()
		each := c.Inputs / c.Group
		return s.codedBytes(group/each) + 4*row + group%each
	}
	return s.codedBytes(group/2*2) + 4*row + 2*(group%2)
}

// RowScaleIndex is the byte of a panel of int4 where a row's scale begins: it is
// the upper half of a float32 whose lower half is zero.
func (s Storage) RowScaleIndex(row int) int { return 4*row + 2 }
