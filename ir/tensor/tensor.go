// Package tensor holds element types, shapes and the lazy source of a
// tensor's values; it sees nothing of ours.
package tensor

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// DType is the element type of a stored tensor.
type DType uint8

// The element types that checkpoints of the supported families hold.
const (
	Invalid DType = iota
	F32
	F16
	BF16
	F64
	I64
	I32
	I16
	I8
	U8
	Bool
)

var dtypeNames = [...]string{
	Invalid: "invalid", F32: "f32", F16: "f16", BF16: "bf16", F64: "f64",
	I64: "i64", I32: "i32", I16: "i16", I8: "i8", U8: "u8", Bool: "bool",
}

var dtypeSizes = [...]int{
	F32: 4, F16: 2, BF16: 2, F64: 8, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, Bool: 1,
}

// String returns the lower-case name used in the IR's text form and in flags.
func (d DType) String() string {
	if int(d) < len(dtypeNames) {
		return dtypeNames[d]
	}
	return "dtype(" + strconv.Itoa(int(d)) + ")"
}

// Size is the number of bytes of one element.
func (d DType) Size() int {
	if int(d) < len(dtypeSizes) {
		return dtypeSizes[d]
	}
	return 0
}

// IsFloat reports whether values of this type are real numbers.
func (d DType) IsFloat() bool { return d == F32 || d == F16 || d == BF16 || d == F64 }

// ParseDType is the inverse of String.
func ParseDType(s string) (DType, error) {
	for i, name := range dtypeNames {
		if i != int(Invalid) && name == s {
			return DType(i), nil
		}
	}
	return Invalid, fmt.Errorf("unknown element type %q", s)
}

// Shape is the extent of each axis, slowest first; a scalar has no axes.
type Shape []int

// Elements is the product of all axes; 1 for a scalar.
func (s Shape) Elements() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Row is the number of elements below one index of the first axis.
func (s Shape) Row() int {
	if len(s) == 0 {
		return 1
	}
	return s[1:].Elements()
}

// Rows is the extent of the first axis; 1 for a scalar.
func (s Shape) Rows() int {
	if len(s) == 0 {
		return 1
	}
	return s[0]
}

// Equal reports whether both shapes have the same axes.
func (s Shape) Equal(t Shape) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range s {
		if s[i] != t[i] {
			return false
		}
	}
	return true
}

// String prints the axes as in error messages: [80 1536].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// CheckedElements is Elements for hostile shapes: it fails on a negative axis
// and on a product beyond max.
func (s Shape) CheckedElements(max int) (int, error) {
	n := 1
	for _, d := range s {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative axis", s)
		}
		if d > 0 && n > math.MaxInt/d {
			return 0, fmt.Errorf("shape %v overflows", s)
		}
		n *= d
	}
	if n > max {
		return 0, fmt.Errorf("shape %v holds %d elements, more than %d", s, n, max)
	}
	return n, nil
}

// Source reads the values of one tensor on demand. A tensor is a matrix of
// Shape.Rows() rows of Shape.Row() elements; implementations honour strides.
type Source interface {
	// ReadRows widens rows [lo, hi) to float32 into dst, which holds exactly
	// (hi-lo)*Shape.Row() elements. It may be called from one goroutine at a
	// time only.
	ReadRows(dst []float32, lo, hi int) error
}

// Flattener is a Source whose first two axes can be read as one, so that a row
// is a row of the second axis.
type Flattener interface {
	Flatten() (Source, error)
}

// Dense is a Source over values in memory, used by tests and synthesis.
type Dense struct {
	Shape  Shape
	Values []float32
}

// ReadRows implements Source.
func (d *Dense) ReadRows(dst []float32, lo, hi int) error {
	row := d.Shape.Row()
	if lo < 0 || hi < lo || hi*row > len(d.Values) {
		return fmt.Errorf("rows [%d, %d) of a tensor with %d rows", lo, hi, d.Shape.Rows())
	}
	copy(dst, d.Values[lo*row:hi*row])
	return nil
}

// Flatten implements Flattener.
func (d *Dense) Flatten() (Source, error) {
	if len(d.Shape) < 2 {
		return nil, fmt.Errorf("shape %v has no two axes to make one of", d.Shape)
	}
	return &Dense{Shape: append(Shape{d.Shape[0] * d.Shape[1]}, d.Shape[2:]...), Values: d.Values}, nil
}
