package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// inWords multiplies words, a pair of columns in a lane: two products are added
// in one instruction, their sum to the others in the next.
type inWords struct{ a *asm }

func (inWords) columns() int { return 2 }

func (inWords) groups(r kernel.QuantisedRow) kernel.QuantisedGroups { return r.Words }

// wordsOf is a shuffle that makes words of bytes b and b+1 of every lane.
func (a *asm) wordsOf(b uint32) operand.Mem {
	name := map[uint32]string{0: "firstPair", 2: "secondPair"}[b]
	return a.global(name, func(i int) uint32 {
		from := uint32(i%4*4) + b
		return from | 0x80<<8 | (from+1)<<16 | 0x80<<24
	})
}

func (w inWords) input(m operand.Mem) operand.Op {
	pair := w.a.vec()
	w.a.VPBROADCASTD(m, pair)
	return pair
}

// add multiplies everything before it adds the first product, so that no addition
// waits where a multiplication could run.
func (w inWords) add(lanes []reg.VecVirtual, input operand.Op, _ []operand.Op, sums []reg.VecVirtual) {
	products := w.a.vecs(len(lanes))
	for i, v := range lanes {
		w.a.VPMADDWD(v, input, products[i])
	}
	for i, v := range products {
		w.a.VPADDD(v, sums[i], sums[i])
	}
}
