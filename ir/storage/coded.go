package storage

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir/tensor"
)

// Coded is a format that keeps a small code for every value, and for every
// group of columns of a row one scale: value = Values[code] · scale, which is
// exact in float32. Scales are bfloat16: their range is that of the weights,
// and their rounding costs nothing, because codes are chosen for the rounded
// scale.
type Coded struct {
	name   string
	Group  int    // columns that share a scale
	Width  int    // bits of a code
	Values []int8 // by code, in units of the scale
	// slack is the largest distance between a value and the nearest that the
	// format has, as a part of its group's largest magnitude.
	slack float64
	// search chooses the scale of a group, whose element of largest magnitude is
	// most, not 0, and what its codes shall be.
	search func(group []float32, most float32, codes []uint8) (scale uint16)
	// nearest is the code of the value nearest to a number of units of a scale.
	nearest func(units float32) uint8
}

// Encoder chooses the codes and scales of a row: len(row) codes, and the
// bfloat16 scales of its groups.
type Encoder interface {
	Encode(row []float32, codes []uint8, scales []uint16) error
}

// Name implements Format.
func (c *Coded) Name() string { return c.name }

// Bits implements Format.
func (c *Coded) Bits() float64 { return float64(c.Width) + 16/float64(c.Group) }

// RowBits implements Format.
func (c *Coded) RowBits(columns int) int { return c.Width*columns + 16*c.Groups(columns) }

// Groups is the number of scales of a row.
func (c *Coded) Groups(columns int) int { return (columns + c.Group - 1) / c.Group }

// Encode implements Encoder: every group by itself.
func (c *Coded) Encode(row []float32, codes []uint8, scales []uint16) error {
	for g := range c.Groups(len(row)) {
		lo := g * c.Group
		hi := min(lo+c.Group, len(row))
		most, err := largest(row[lo:hi])
		if err != nil {
			return fmt.Errorf("column %d: %w: %s has no number for it", lo, err, c.name)
		}
		if magnitude(most) < smallestScaled {
			scales[g] = 0
			clear(codes[lo:hi])
			continue
		}
		scales[g] = c.search(row[lo:hi], most, codes[lo:hi])
	}
	return nil
}

// smallestScaled is a magnitude below which a group is kept as zeros: its scale
// would have no precision left.
const smallestScaled = 0x1p-100

// Decode gives the values that codes and scales stand for.
func (c *Coded) Decode(row []float32, codes []uint8, scales []uint16) {
	for i, code := range codes[:len(row)] {
		row[i] = float32(c.Values[code]) * tensor.BF16ToF32(scales[i/c.Group])
	}
}

// Round implements Format.
func (c *Coded) Round(row []float32) error { return c.RoundBy(c, row) }

// RoundBy is Round with codes and scales of an encoder's choice.
func (c *Coded) RoundBy(e Encoder, row []float32) error {
	codes, scales := make([]uint8, len(row)), make([]uint16, c.Groups(len(row)))
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
