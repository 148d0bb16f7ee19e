package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// inMultiples multiplies values, small unsigned bytes, with numbers of 8 bits, a
// quad of columns in a lane. Two products fit a word, and the words are multiplied
// with the multiple of their columns.
type inMultiples struct{ a *asm }

func (inMultiples) columns() int { return 4 }

func (inMultiples) groups(r kernel.QuantisedRow) kernel.QuantisedGroups { return r.Bytes }

func (m inMultiples) input(at operand.Mem) operand.Op {
	quad := m.a.vec()
	m.a.VPBROADCASTD(at, quad)
	return quad
}

func (m inMultiples) add(lanes []reg.VecVirtual, input operand.Op, multiples []operand.Op, sums []reg.VecVirtual) {
	for i, v := range lanes {
		products := m.a.vec()
		m.a.VPMADDUBSW(input, v, products)
		if m.a.level.has(vnni) {
			m.a.VPDPWSSD(multiples[i], products, sums[i])
			continue
		}
		m.a.VPMADDWD(multiples[i], products, products)
		m.a.VPADDD(products, sums[i], sums[i])
	}
}
