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
// whole units, and of a storage with scales whole groups and the units of
// their scales.
func (s Storage) PanelElements(k int) int {
	if c, ok := s.Coded(); ok {
		return s.codedBytes(c.Groups(k))
	}
	columns := s.UnitColumns()
	return (k + columns - 1) / columns * columns * PanelRows
}

// Index is the position of (row, k) inside a packed panel of a storage that
// keeps numbers. f32 stores the 48 rows of one k after those of the previous k;
// the 16-bit formats store pairs (k, k+1) of one row side by side, so that a
// 32-bit lane holds both.
func (s Storage) Index(row, k int) int {
	n := s.UnitColumns()
	return (k/n*PanelRows+row)*n + k%n
}

// codedBytes is the size of a coded panel of some groups. They come in pairs,
// each pair behind one unit of scales.
func (s Storage) codedBytes(groups int) int {
	c, _ := s.Coded()
	return UnitBytes * ((groups+1)/2 + groups*c.Group/s.UnitColumns())
}

// CodeIndex is the byte of a coded panel that holds the code of (row, k), and
// the bit where it begins: int8 stores four columns of a row side by side, int4
// eight, the first four in the low halves of four bytes.
func (s Storage) CodeIndex(row, k int) (at, bit int) {
	c, _ := s.Coded()
	g, columns := k/c.Group, s.UnitColumns()
	pair := g / 2 * 2 // first group of the pair
	in := k - pair*c.Group
	at = s.codedBytes(pair) + UnitBytes*(1+in/columns) + 4*row + in%columns%4
	return at, in % columns / 4 * c.Width
}

// ScaleIndex is the byte of a coded panel where the two of row's scale of a
// group begin: a unit holds the scales of two groups, side by side for a row.
func (s Storage) ScaleIndex(row, group int) int {
	return s.codedBytes(group/2*2) + 4*row + 2*(group%2)
}
