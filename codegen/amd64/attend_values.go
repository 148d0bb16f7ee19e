package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// write computes the outputs of all rows, a block of elements after the other:
// y·decay + Σ_j p_j·V_jd, on a first page Σ_j alone, over l on the last page that
// the token sees.
func (s *attendTile) write() {
	a := s.asm
	vectors := attendOutputs
	if s.height > 1 {
		vectors = attendBlock(a.level)
	}
	perBlock := vectors * a.level.lanes
	for first := 0; first < s.HeadDim; first += perBlock {
		n := min(perBlock, s.HeadDim-first)
		s.writeBlock(first, a.tail(n, (n+a.level.lanes-1)/a.level.lanes))
	}
}

// writeBlock writes the outputs that some vectors of every row hold, from an
// element on.
func (s *attendTile) writeBlock(first int, elements []tailMask) {
	a := s.asm
	output := func(r, i int) operand.Mem {
		return operand.Mem{Base: s.y, Disp: r*s.stepY + 4*first + i*a.bytes()}
	}
	sums := make([][]reg.VecVirtual, s.height)
	var all []reg.VecVirtual
	for r := range sums {
		sums[r] = a.vecs(len(elements))
		all = append(all, sums[r]...)
		s.start(r, sums[r], elements, output)
	}
	values, at, loop := a.pointer("values"), a.GP64(), a.label("value")
	a.XORQ(at, at)
	a.legend("One slot a turn.", holds("outputs", all...), holds("values", values), holds("slot", at))
	a.Label(loop)
	s.addValues(values, at, first, sums, elements)
	a.ADDQ(operand.U32(uint32(4*s.Values().Row())), values)
	a.INCQ(at)
	a.CMPQ(at, operand.Imm(kernel.PageTokens))
	a.JLT(operand.LabelRef(loop))
	for r := range sums {
		s.divide(r, sums[r])
		for i, m := range elements {
			a.store(m, sums[r][i], output(r, i))
		}
	}
}

// start begins the sums of a row with what earlier pages have left.
func (s *attendTile) start(r int, sums []reg.VecVirtual, elements []tailMask, output func(r, i int) operand.Mem) {
	a := s.asm
	again, begun := a.label("again"), a.label("begun")
	for _, sum := range sums {
		a.zero(sum)
	}
	s.ifFirst(r, again)
	a.JMP(operand.LabelRef(begun))
	a.Label(again)
	decay := a.broadcast(s.scratch, decays+4*r)
	for i, m := range elements {
		a.VMULPS(a.load(m, output(r, i)), decay, sums[i])
	}
	a.Label(begun)
}

// addValues adds the products of a slot.
func (s *attendTile) addValues(values, at reg.GPVirtual, first int, sums [][]reg.VecVirtual, elements []tailMask) {
	a := s.asm
	weight := func(r int) reg.VecVirtual {
		p := a.vec()
		a.VBROADCASTSS(operand.Mem{Base: s.scratch, Index: at, Scale: 4, Disp: 4 * r * kernel.PageTokens}, p)
		return p
	}
	if s.height == 1 {
		p := weight(0)
		for i, m := range elements {
			a.VFMADD231PS(s.value(values, first, i, m), p, sums[0][i])
		}
		return
	}
	var v []reg.VecVirtual
	for i, m := range elements {
		v = append(v, s.value(values, first, i, m))
	}
	for r := range sums {
		p := weight(r)
		for i := range elements {
			a.VFMADD231PS(v[i], p, sums[r][i])
		}
	}
}

// value is vector i of the elements of a slot from the first on. Narrow rows fill
// whole registers.
func (s *attendTile) value(values reg.GPVirtual, first, i int, m tailMask) reg.VecVirtual {
	a, layout := s.asm, s.Values()
	element := first + i*a.level.lanes
	at := operand.Mem{Base: values, Disp: 4*layout.Scales() + 4*element/s.Storage.PerWord()}
	if s.Storage == "" {
		return a.load(m, at)
	}
	v := a.vec()
	if s.Storage == kernel.F16 {
		a.VCVTPH2PS(at, v)
		return v
	}
	a.VPMOVSXBD(at, v)
	a.VCVTDQ2PS(v, v)
	return v
}

// divide takes outputs of a row over l on the last page that its token sees.
func (s *attendTile) divide(r int, sums []reg.VecVirtual) {
	a, more := s.asm, s.asm.label("pages")
	a.CMPQ(s.rel, operand.Imm(uint64(kernel.PageTokens-s.token(r))))
	a.JGE(operand.LabelRef(more))
	l := a.vec()
	a.VBROADCASTSS(s.stat(r, 1), l)
	for _, v := range sums {
		a.VDIVPS(l, v, v)
	}
	a.Label(more)
}
