package kerneltest

import "math"

// panelRows is the height of a packed weight panel in output rows, and
// groupChannels the number of channels treated together.
const (
	panelRows     = 48
	groupChannels = 16
)

// weights is packed panels of any storage.
type weights interface {
	packed() any // the kernel's argument
	elements() int
	at(panel, row, k int) float32 // widened; exact
}

// makeWeights fills n panels of K columns.
func makeWeights(v *values, storage string, columns, n int) weights {
	if groupColumns[storage] > 0 {
		return makeCoded(v, storage, columns, n)
	}
	return makePanels(v, storage, columns, n)
}

// panels is packed weights of K columns in one of the storages f32, f16, bf16.
type panels struct {
	storage string
	columns int
	f32     []float32
	u16     []uint16
}

// makePanels fills n panels; the padding column of an odd K is zero.
func makePanels(v *values, storage string, columns, n int) *panels {
	p := &panels{storage: storage, columns: columns}
	if storage == "f32" {
		p.f32 = v.f32(n * p.elements())
		return p
	}
	p.u16 = v.u16(n*p.elements(), storage == "f16")
	if columns%2 == 1 {
		for i := range n {
			for row := range panelRows {
				p.u16[i*p.elements()+p.index(row, columns)] = 0
			}
		}
	}
	return p
}

// packed is the kernel's argument.
func (p *panels) packed() any {
	if p.storage == "f32" {
		return p.f32
	}
	return p.u16
}

// elements is the size of a panel.
func (p *panels) elements() int { return panelElements(p.storage, p.columns) }

func panelElements(storage string, columns int) int {
	if groupColumns[storage] > 0 {
		return (&codedPanels{storage: storage, columns: columns}).elements()
	}
	if storage != "f32" {
		columns += columns & 1
	}
	return panelRows * columns
}

// index is the place of an element in its panel: column after column, or, in
// the 16-bit storages, pair of columns after pair, of bf16 with a row's two side
// by side, of f16 with eight rows of the one before those of the other.
func (p *panels) index(row, k int) int {
	switch p.storage {
	case "f32":
		return k*panelRows + row
	case "f16":
		return k/2*2*panelRows + row/8*16 + k%2*8 + row%8
	}
	return k/2*2*panelRows + 2*row + k%2
}

// at is an element widened; exact.
func (p *panels) at(panel, row, k int) float32 {
	i := panel*p.elements() + p.index(row, k)
	switch p.storage {
	case "f32":
		return p.f32[i]
	case "bf16":
		return math.Float32frombits(uint32(p.u16[i]) << 16)
	default:
		return halfValue(p.u16[i])
	}
}

// halfValue is the number that an IEEE half stands for, from its definition.
func halfValue(h uint16) float32 {
	exponent, fraction := int(h>>10&31), float64(h&1023)
	var v float64
	switch {
	case exponent == 31 && fraction != 0:
		return float32(math.NaN())
	case exponent == 31:
		v = math.Inf(1)
	case exponent == 0:
		v = math.Ldexp(fraction, -24)
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if h>>15 == 1 {
		v = -v
	}
	return float32(v)
}
