package kerneltest

import "math"

// groupColumns is the number of columns that share a scale, by storage.
var groupColumns = map[string]int{"int8": 64, "int4": 32}

// int4Values is what the codes of int4 stand for, in units of the scale.
var int4Values = [16]int32{-127, -98, -77, -60, -46, -33, -21, -9, 2, 13, 24, 36, 49, 64, 81, 104}

// codedPanels is packed codes and scales of K columns.
type codedPanels struct {
	storage        string
	columns, group int
	bytes          []uint8
}

const unitBytes = 4 * panelRows

// makeCoded fills n panels: any code, padding included, and scales of ordinary
// weights.
func makeCoded(v *values, storage string, columns, n int) *codedPanels {
	p := &codedPanels{storage: storage, columns: columns, group: groupColumns[storage]}
	p.bytes = make([]uint8, n*p.elements())
	for i := range p.bytes {
		p.bytes[i] = uint8(v.IntN(256))
	}
	for i := range n {
		for row := range panelRows {
			for g := range p.groups() {
				at := i*p.elements() + p.scaleIndex(row, g)
				bits := uint16(math.Float32bits(v.one()) >> 16)
				p.bytes[at], p.bytes[at+1] = uint8(bits), uint8(bits>>8)
			}
		}
	}
	return p
}

func (p *codedPanels) groups() int { return (p.columns + p.group - 1) / p.group }

// unitColumns is the number of columns of which a unit of four bytes a row
// holds the codes.
func (p *codedPanels) unitColumns() int {
	if p.storage == "int4" {
		return 8
	}
	return 4
}

// start is where the pair of groups that begins with group g does: behind the
// scales and codes of those before.
func (p *codedPanels) start(g int) int {
	return unitBytes * ((g+1)/2 + g*p.group/p.unitColumns())
}

// elements is the size of a panel.
func (p *codedPanels) elements() int { return p.start(p.groups()) }

func (p *codedPanels) scaleIndex(row, g int) int { return p.start(g&^1) + 4*row + g%2*2 }

// value is what the code of an element stands for, in units of its scale.
func (p *codedPanels) value(panel, row, k int) int32 {
	n := p.unitColumns()
	pair := k / p.group &^ 1
	in := k - pair*p.group
	code := p.bytes[panel*p.elements()+p.start(pair)+unitBytes*(1+in/n)+4*row+in%4]
	if p.storage == "int4" {
		return int4Values[code>>(in%8/4*4)&15]
	}
	return int32(code) - 128
}

// scale is that of a row's group.
func (p *codedPanels) scale(panel, row, g int) float32 {
	at := panel*p.elements() + p.scaleIndex(row, g)
	return math.Float32frombits(uint32(p.bytes[at])<<16 | uint32(p.bytes[at+1])<<24)
}

// at is an element widened; exact.
func (p *codedPanels) at(panel, row, k int) float32 {
	return float32(p.value(panel, row, k)) * p.scale(panel, row, k/p.group)
}

func (p *codedPanels) packed() any { return p.bytes }

// dot is the chain of one output row with a quantised row.
func (p *codedPanels) dot(panel, row int, x *quantised) *chain {
	s := &chain{}
	for g := range p.groups() {
		n := int32(0)
		for k := g * p.group; k < (g+1)*p.group; k++ {
			n += p.value(panel, row, k) * int32(x.numbers[k])
		}
		s.fma(float32(n), p.scale(panel, row, g)*x.scales[g])
	}
	return s
}
