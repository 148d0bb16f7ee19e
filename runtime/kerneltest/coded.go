package kerneltest

import "math"

// inputGroup is the number of columns of an input that share a scale.
const inputGroup = 64

// groupColumns is the number of columns of weights that share a scale, by storage.
var groupColumns = map[string]int{"int8": 64, "int4": 16}

// int4Values is what the codes of int4 stand for, in units of the scale.
var int4Values = [16]int32{-64, -53, -41, -32, -24, -17, -11, -5, 1, 7, 13, 19, 26, 33, 43, 55}

// codedPanels is packed codes and scales of K columns.
type codedPanels struct {
	storage string
	columns int
	bytes   []uint8
}

const unitBytes = 4 * panelRows

// makeCoded fills n panels: any code, padding included, multiples of either sign,
// and scales of ordinary weights.
func makeCoded(v *values, storage string, columns, n int) *codedPanels {
	p := &codedPanels{storage: storage, columns: columns}
	p.bytes = make([]uint8, n*p.elements())
	for i := range p.bytes {
		p.bytes[i] = uint8(v.IntN(256))
	}
	number := func(at int) {
		bits := uint16(math.Float32bits(v.one()) >> 16)
		p.bytes[at], p.bytes[at+1] = uint8(bits), uint8(bits>>8)
	}
	for i := range n {
		for row := range panelRows {
			if storage == "int8" {
				for g := range p.groups() {
					number(i*p.elements() + p.scaleIndex(row, g))
				}
				continue
			}
			at := i*p.elements() + 4*row
			p.bytes[at], p.bytes[at+1] = 0, 0
			number(at + 2)
			for k := 0; k < p.columns; k += groupColumns["int4"] {
				p.bytes[i*p.elements()+p.multipleIndex(row, k)] = uint8(v.IntN(255) - 127)
			}
		}
	}
	return p
}

// groups is the number of groups of inputs.
func (p *codedPanels) groups() int { return (p.columns + inputGroup - 1) / inputGroup }

// start is where group g of inputs does, behind the scales and codes of those
// before: with int8 a unit of scales for it and the next one, g being even; with
// int4 one for itself, all behind that of the rows.
func (p *codedPanels) start(g int) int {
	if p.storage == "int4" {
		return unitBytes * (1 + g*(1+inputGroup/8))
	}
	return unitBytes * ((g+1)/2 + g*inputGroup/4)
}

// elements is the size of a panel.
func (p *codedPanels) elements() int { return p.start(p.groups()) }

// scaleIndex is where the scale of a row's group is in int8, multipleIndex where
// that of column k is in int4.
func (p *codedPanels) scaleIndex(row, g int) int { return p.start(g&^1) + 4*row + g%2*2 }

func (p *codedPanels) multipleIndex(row, k int) int {
	return p.start(k/inputGroup) + 4*row + k%inputGroup/groupColumns["int4"]
}

// value is what the code of an element stands for: in units of its group's scale,
// in int4 of its row's.
func (p *codedPanels) value(panel, row, k int) int32 {
	b := p.bytes[panel*p.elements():]
	if p.storage == "int4" {
		in := k % inputGroup
		code := b[p.start(k/inputGroup)+unitBytes*(1+in/8)+4*row+in%4] >> (in % 8 / 4 * 4) & 15
		return int4Values[code] * int32(int8(b[p.multipleIndex(row, k)]))
	}
	first := k / inputGroup &^ 1
	in := k - first*inputGroup
	return int32(b[p.start(first)+unitBytes*(1+in/4)+4*row+in%4]) - 128
}

// scale is that of a row's group in int8, of the row in int4.
func (p *codedPanels) scale(panel, row, g int) float32 {
	at := panel*p.elements() + 4*row + 2
	if p.storage == "int8" {
		at = panel*p.elements() + p.scaleIndex(row, g)
	}
	return math.Float32frombits(uint32(p.bytes[at])<<16 | uint32(p.bytes[at+1])<<24)
}

// at is an element widened; exact.
func (p *codedPanels) at(panel, row, k int) float32 {
	return float32(p.value(panel, row, k)) * p.scale(panel, row, k/inputGroup)
}

func (p *codedPanels) packed() any { return p.bytes }

// dot is the chain of one output row with a quantised row.
func (p *codedPanels) dot(panel, row int, x *quantised) *chain {
	s := &chain{}
	for g := range p.groups() {
		n := int32(0)
		for k := g * inputGroup; k < (g+1)*inputGroup; k++ {
			n += p.value(panel, row, k) * int32(x.numbers[k])
		}
		if p.storage == "int4" {
			s.fma(float32(n), x.scales[g])
		} else {
			s.fma(float32(n), p.scale(panel, row, g)*x.scales[g])
		}
	}
	if p.storage == "int4" {
		s.mul(p.scale(panel, row, 0))
	}
	return s
}
