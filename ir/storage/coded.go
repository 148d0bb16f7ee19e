package storage

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir/tensor"
)

// Coded is a format that keeps a small code for every value, and for every
// group of columns of a row one scale: value = Values[code] · scale, which is
// exact in float32. A scale is a bfloat16, whose range is that of the weights;
// its rounding costs nothing, because codes are chosen for the rounded scale. Or
// it is a whole multiple, from −127 to 127, of one bfloat16 for the row.
type Coded struct {
	name      string
	Group     int    // columns that share a scale
	Inputs    int    // columns of an input that share one in fast math
	Width     int    // bits of a code
	Multiples bool   // whether scales are multiples of one for the row
	Values    []int8 // by code, in units of the scale
	// slack is the largest distance between a value and the nearest that the
	// format has, as a part of its row's largest magnitude.
	slack float64
	// fit chooses the scale of a group, whose element of largest magnitude is
	// most, not 0.
	fit func(group []float32, most float32) float32
	// nearest is the code of the value nearest to a number of units of a scale.
	nearest func(units float32) uint8
}

// Encoder chooses the codes and scales of a row: len(row) codes, and as many
// scales as Coded.Scales says.
type Encoder interface {
	Encode(row []float32, codes []uint8, scales []uint16) error
}

// Name implements Format.
func (c *Coded) Name() string { return c.name }

// Bits implements Format.
func (c *Coded) Bits() float64 { return float64(c.Width) + float64(c.scaleBits())/float64(c.Group) }

// RowBits implements Format.
func (c *Coded) RowBits(columns int) int {
	bits := c.Width*columns + c.scaleBits()*c.Groups(columns)
	if c.Multiples {
		bits += rowScaleBits
	}
	return bits
}

// scaleBits is the size of the scale of a group, rowScaleBits that of a row.
func (c *Coded) scaleBits() int {
	if c.Multiples {
		return 8
	}
	return 16
}

const rowScaleBits = 16

// Groups is the number of groups of a row.
func (c *Coded) Groups(columns int) int { return (columns + c.Group - 1) / c.Group }

// InputGroups is the number of groups of inputs that meet a row.
func (c *Coded) InputGroups(columns int) int { return (columns + c.Inputs - 1) / c.Inputs }

// Scales is the number of entries that hold the scales of a row: one for each
// group, and where they are multiples a last one for the row.
func (c *Coded) Scales(columns int) int {
	if c.Multiples {
		return c.Groups(columns) + 1
	}
	return c.Groups(columns)
}

// scale is the scale of a group.
func (c *Coded) scale(scales []uint16, group int) float32 {
	if c.Multiples {
		return float32(int8(scales[group])) * rowScale(scales)
	}
	return tensor.BF16ToF32(scales[group])
}

func rowScale(scales []uint16) float32 { return tensor.BF16ToF32(scales[len(scales)-1]) }

// Encode implements Encoder: every group by itself.
func (c *Coded) Encode(row []float32, codes []uint8, scales []uint16) error {
	wanted, err := c.fitRow(row)
	if err != nil {
		return err
	}
	c.keepScales(wanted, scales)
	for g := range wanted {
		lo := g * c.Group
		hi := min(lo+c.Group, len(row))
		c.code(row[lo:hi], codes[lo:hi], c.scale(scales, g))
	}
	return nil
}

// fitRow is the scale of each group.
func (c *Coded) fitRow(row []float32) ([]float32, error) {
	wanted := make([]float32, c.Groups(len(row)))
	for g := range wanted {
		lo := g * c.Group
		var err error
		if wanted[g], err = c.fitGroup(row[lo:min(lo+c.Group, len(row))], lo); err != nil {
			return nil, err
		}
	}
	return wanted, nil
}

// fitGroup is the scale of the group that begins at a column of its row; 0 if it
// is kept as zeros.
func (c *Coded) fitGroup(group []float32, column int) (float32, error) {
	most, err := largest(group)
	switch {
	case err != nil:
		return 0, fmt.Errorf("column %d: %w: %s has no number for it", column, err, c.name)
	case magnitude(most) < smallestScaled:
		return 0, nil
	}
	return c.fit(group, most), nil
}

// keepScales writes the scales of a row as the format keeps them.
func (c *Coded) keepScales(wanted []float32, scales []uint16) {
	if c.Multiples {
		most, _ := largest(wanted)
		scales[len(wanted)] = roundUp(magnitude(most) / mostMultiple)
	}
	for g, v := range wanted {
		scales[g] = c.kept(v, scales)
	}
}

// mostMultiple is the largest multiple of its row's scale that a scale is.
const mostMultiple = 127

// kept is what stands for a scale; the row's own is among the scales already.
func (c *Coded) kept(wanted float32, scales []uint16) uint16 {
	if !c.Multiples {
		return tensor.F32ToBF16(wanted)
	}
	unit := rowScale(scales)
	if unit == 0 {
		return 0
	}
	multiple := math.RoundToEven(float64(wanted) / float64(unit))
	return uint16(uint8(int8(min(max(multiple, -mostMultiple), mostMultiple))))
}

// code gives a group the codes nearest to its values.
func (c *Coded) code(group []float32, codes []uint8, scale float32) {
	if scale == 0 {
		clear(codes)
		return
	}
	inverse := 1 / scale
	for i, v := range group {
		codes[i] = c.nearest(v * inverse)
	}
}

// smallestScaled is a magnitude below which a group is kept as zeros: its scale
// would have no precision left.
const smallestScaled = 0x1p-100

// Decode gives the values that codes and scales stand for.
func (c *Coded) Decode(row []float32, codes []uint8, scales []uint16) {
	for i, code := range codes[:len(row)] {
		row[i] = float32(c.Values[code]) * c.scale(scales, i/c.Group)
	}
}

// Round implements Format.
func (c *Coded) Round(row []float32) error { return c.RoundBy(c, row) }

// RoundBy is Round with codes and scales of an encoder's choice.
func (c *Coded) RoundBy(e Encoder, row []float32) error {
	codes, scales := make([]uint8, len(row)), make([]uint16, c.Scales(len(row)))
	if err := e.Encode(row, codes, scales); err != nil {
		return err
	}
	c.Decode(row, codes, scales)
	return nil
}

// Bound implements Format.
func (c *Coded) Bound(row []float32) float64 {
	most, err := largest(row)
	if err != nil {
		return math.Inf(1)
	}
	return float64(magnitude(most))*c.slack + smallestScaled
}

// largest is the first number of a group that no other exceeds in magnitude.
func largest(group []float32) (float32, error) {
	var most uint32
	for _, v := range group {
		// Without signs, floats are ordered as their bits are.
		if b := math.Float32bits(v); b&^signBit > most&^signBit {
			most = b
		}
	}
	v := math.Float32frombits(most)
	if magnitude(v) <= math.MaxFloat32 {
		return v, nil
	}
	return 0, fmt.Errorf("a value of the group is %v", magnitude(v))
}

// magnitude is |v|.
func magnitude(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ signBit) }

const signBit = 1 << 31

// roundUp is the bfloat16 nearest to a positive number that is not below it.
func roundUp(v float32) uint16 { return uint16((math.Float32bits(v) + 0xffff) >> 16) }
