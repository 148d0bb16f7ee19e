package amd64

import (
	"math"
	"strconv"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("attend", emitter{
		supports: func(_ *Level, s kernel.Spec) bool { return s.(kernel.Attend).Storage != kernel.Int8 },
		emit:     func(a *asm, s kernel.Spec) { (&attend{asm: a, Attend: s.(kernel.Attend)}).emit() },
	})
}

// attend treats one token after the other, and of each the heads of queries: the
// page's keys and values, a few tens of KiB, stay in the caches for all of them.
// Scores are of all slots side by side, a row of the keys a turn; outputs of all
// elements side by side, a row of the values a turn.
type attend struct {
	asm *asm
	kernel.Attend
	y, q, stats reg.GPVirtual    // of the token, or of one of its heads
	rel         reg.GPVirtual    // the token's slot: its position − base
	scratch     reg.GPVirtual    // of the scores of a head
	scores      []reg.VecVirtual // of a head: 64 slots
}

// attendOutputs is the number of registers of elements that are summed at once.
const attendOutputs = 8

func (s *attend) emit() {
	a := s.asm
	s.y, s.q, s.stats = a.pointer("y"), a.pointer("q"), a.pointer("stats")
	s.rel = a.integer("position")
	a.SUBQ(a.integer("base"), s.rel)
	next := a.label("next")
	a.rows([]row{{"outputs", s.y, s.StrideY}, {"queries", s.q, s.StrideQ}, {"maxima and sums", s.stats, 2 * s.Group}}, nil, func() {
		s.skipUnseen(next)
		s.heads()
		a.Label(next)
		a.INCQ(s.rel)
	})
}

// skipUnseen goes on to the next token where this one sees nothing of the page:
// the page lies behind it, or further back than its window.
func (s *attend) skipUnseen(next string) {
	s.asm.CMPQ(s.rel, operand.Imm(0))
	s.asm.JLT(operand.LabelRef(next))
	if s.Window > 0 {
		s.asm.CMPQ(s.rel, operand.U32(uint32(kernel.PageTokens+s.Window-1)))
		s.asm.JGE(operand.LabelRef(next))
	}
}

// heads emits a loop over the heads of queries; it moves copies of the pointers.
func (s *attend) heads() {
	a := s.asm
	one := *s
	one.y, one.q, one.stats = a.GP64(), a.GP64(), a.GP64()
	for _, p := range [][2]reg.GPVirtual{{s.y, one.y}, {s.q, one.q}, {s.stats, one.stats}} {
		a.MOVQ(p[0], p[1])
	}
	left, loop := a.GP64(), a.label("head")
	a.MOVQ(operand.U32(uint32(s.Group)), left)
	a.legend("One head of queries a turn.", holds("outputs", one.y), holds("queries", one.q), holds("maximum and sum", one.stats), holds("heads left", left))
	a.Label(loop)
	one.head()
	a.ADDQ(operand.U32(uint32(4*s.HeadDim)), one.y)
	a.ADDQ(operand.U32(uint32(4*s.HeadDim)), one.q)
	a.ADDQ(operand.Imm(8), one.stats)
	a.DECQ(left)
	a.JNZ(operand.LabelRef(loop))
}

func (s *attend) head() {
	a := s.asm
	s.scratch = a.pointer("scratch")
	s.score()
	s.hide()
	most, decay := s.exponentials()
	again, store := a.label("again"), a.label("sums")
	s.ifFirst(again)
	s.write(nil)
	a.JMP(operand.LabelRef(store))
	a.Label(again)
	s.write(decay)
	a.Label(store)
	a.VMOVSS(most.AsX(), operand.Mem{Base: s.stats})
}

// ifFirst jumps to a label unless the page is the first of which the token sees
// anything.
func (s *attend) ifFirst(otherwise string) {
	a, first, base := s.asm, s.asm.label("first"), s.asm.integer("base")
	a.TESTQ(base, base)
	if s.Window > 0 {
		a.JZ(operand.LabelRef(first))
		a.CMPQ(s.rel, operand.U32(uint32(s.Window-1)))
		a.JLT(operand.LabelRef(otherwise))
		a.Label(first)
		return
	}
	a.JNZ(operand.LabelRef(otherwise))
}

// slotVectors is the number of registers that a page's slots take.
func (s *attend) slotVectors() int { return kernel.PageTokens / s.asm.level.lanes }

// slots is vector i of the scores in scratch.
func (s *attend) slots(i int) operand.Mem {
	return operand.Mem{Base: s.scratch, Disp: i * s.asm.bytes()}
}

// score writes Scale·Σ_d q_d·K_dj of all slots to scratch.
func (s *attend) score() {
	a := s.asm
	s.scores = a.zeros(s.slotVectors())
	if s.Storage == kernel.F16 {
		s.scoreHalves()
	} else {
		s.scoreFloats()
	}
	scale := a.constantVec(a.float("scale"+strconv.Itoa(int(s.ScaleBits)), s.Scale()))
	for i, v := range s.scores {
		a.VMULPS(scale, v, v)
		a.VMOVUPS(v, s.slots(i))
	}
}

// scoreFloats adds an element of all keys a turn.
func (s *attend) scoreFloats() {
	a := s.asm
	keys, q, left, loop := a.pointer("keys"), a.GP64(), a.GP64(), a.label("key")
	a.MOVQ(s.q, q)
	a.MOVQ(operand.U32(uint32(s.HeadDim)), left)
	a.legend("One element of the keys a turn.", holds("scores", s.scores...), holds("keys", keys), holds("query", q), holds("elements left", left))
	a.Label(loop)
	x := a.broadcast(q, 0)
	for i, v := range s.scores {
		a.VFMADD231PS(operand.Mem{Base: keys, Disp: i * a.bytes()}, x, v)
	}
	a.ADDQ(operand.Imm(4), q)
	a.ADDQ(operand.U32(4*kernel.PageTokens), keys)
	a.DECQ(left)
	a.JNZ(operand.LabelRef(loop))
}

// scoreHalves adds a pair of elements of all keys a turn, and an odd last one.
func (s *attend) scoreHalves() {
	a, w := s.asm, newWidener(s.asm, kernel.F16)
	keys, q := a.pointer("keys"), a.GP64()
	a.MOVQ(s.q, q)
	if pairs := s.HeadDim / 2; pairs > 0 {
		left, loop := a.GP64(), a.label("pair")
		a.MOVQ(operand.U32(uint32(pairs)), left)
		a.legend("Two elements of the keys a turn.", holds("scores", s.scores...), holds("keys", keys), holds("query", q), holds("pairs left", left))
		a.Label(loop)
		x, next := a.broadcast(q, 0), a.broadcast(q, 4)
		for i, v := range s.scores {
			low, high := w.pair(operand.Mem{Base: keys, Disp: i * a.bytes()})
			a.VFMADD231PS(low, x, v)
			a.VFMADD231PS(high, next, v)
		}
		a.ADDQ(operand.Imm(8), q)
		a.ADDQ(operand.U32(4*kernel.PageTokens), keys)
		a.DECQ(left)
		a.JNZ(operand.LabelRef(loop))
	}
	if s.HeadDim%2 == 1 {
		x := a.broadcast(q, 0)
		for i, v := range s.scores {
			a.VFMADD231PS(w.low(operand.Mem{Base: keys, Disp: i * a.bytes()}), x, v)
		}
	}
}

// hide makes the scores of slots that the token does not see −∞: those after its
// own, and those before its window.
func (s *attend) hide() {
	a := s.asm
	hidden, at := a.GP32(), a.GP64()
	a.MOVL(operand.U32(math.Float32bits(float32(math.Inf(-1)))), hidden)
	slot := operand.Mem{Base: s.scratch, Index: at, Scale: 4}
	loop, test, before := a.label("after"), a.label("afterTest"), a.label("before")
	a.MOVQ(s.rel, at)
	a.JMP(operand.LabelRef(test))
	a.Label(loop)
	a.MOVL(hidden, slot)
	a.Label(test)
	a.INCQ(at)
	a.CMPQ(at, operand.Imm(kernel.PageTokens))
	a.JLT(operand.LabelRef(loop))
	if s.Window == 0 {
		return
	}
	shown := a.label("shown")
	a.MOVQ(s.rel, at)
	a.SUBQ(operand.U32(uint32(s.Window)), at)
	a.JLT(operand.LabelRef(shown))
	a.Label(before)
	a.MOVL(hidden, slot)
	a.DECQ(at)
	a.JGE(operand.LabelRef(before))
	a.Label(shown)
}

// exponentials turns the scores in scratch into p, leaves l in stats, and gives
// the maximum and what earlier pages decay by, in all lanes; on a first page the
// decay is of no use.
func (s *attend) exponentials() (most, decay reg.VecVirtual) {
	a := s.asm
	for i, v := range s.scores {
		a.VMOVUPS(s.slots(i), v)
	}
	most, before := s.maximum(), a.vec()
	a.VBROADCASTSS(operand.Mem{Base: s.stats}, before)
	first, known := a.label("alone"), a.label("known")
	s.ifFirst(first)
	a.VMOVAPS(most, before)
	a.JMP(operand.LabelRef(known))
	a.Label(first)
	a.VMAXPS(before, most, most)
	a.Label(known)
	k := a.expConstants()
	a.VSUBPS(most, before, before)
	decay = a.exp([]reg.VecVirtual{before}, k)[0]
	s.sum(decay, s.powers(most, k))
	return most, decay
}

// maximum is the greatest score in all lanes.
func (s *attend) maximum() reg.VecVirtual {
	a := s.asm
	most := a.vec()
	a.VMAXPS(s.scores[0], s.scores[1], most)
	for _, v := range s.scores[2:] {
		a.VMAXPS(v, most, most)
	}
	half, quarter, other := most, a.XMM(), a.XMM()
	if a.level.lanes == 16 {
		half = a.YMM()
		a.VEXTRACTF64X4(operand.Imm(1), most, half)
		a.VMAXPS(half, most.AsY(), half)
		a.VEXTRACTF32X4(operand.Imm(1), half, quarter)
	} else {
		a.VEXTRACTF128(operand.Imm(1), half, quarter)
	}
	a.VMAXPS(quarter, half.AsX(), quarter)
	a.VPERMILPS(operand.Imm(0x0e), quarter, other)
	a.VMAXPS(other, quarter, quarter)
	a.VPERMILPS(operand.Imm(0x01), quarter, other)
	a.VMAXPS(other, quarter, quarter)
	result := a.vec()
	a.VBROADCASTSS(quarter, result)
	return result
}

// powers replaces the scores in scratch by exp(s − m) and gives their 16 sums.
func (s *attend) powers(most reg.VecVirtual, k *expConstants) []reg.VecVirtual {
	a := s.asm
	sums := a.zeros(a.normVectors())
	atOnce := 2
	for first := 0; first < s.slotVectors(); first += atOnce {
		x := a.vecs(atOnce)
		for i, v := range x {
			a.VMOVUPS(s.slots(first+i), v)
			a.VSUBPS(most, v, v)
		}
		for i, p := range a.exp(x, k) {
			a.VMOVUPS(p, s.slots(first+i))
			sum := sums[(first+i)%len(sums)]
			a.VADDPS(p, sum, sum)
		}
	}
	return sums
}

// sum leaves l in stats: Σ p, and on later pages what there was times decay.
func (s *attend) sum(decay reg.VecVirtual, sums []reg.VecVirtual) {
	a := s.asm
	l := a.sumLanes(sums).AsX()
	store := a.label("storeSum")
	fresh := a.label("more")
	s.ifFirst(fresh)
	a.JMP(operand.LabelRef(store))
	a.Label(fresh)
	a.VFMADD231SS(operand.Mem{Base: s.stats, Disp: 4}, decay.AsX(), l)
	a.Label(store)
	a.VMOVSS(l, operand.Mem{Base: s.stats, Disp: 4})
}

// write computes the outputs of the head: y·decay + Σ_j p_j·V_jd, without decay
// Σ_j alone, over l on the last page that the token sees.
func (s *attend) write(decay reg.VecVirtual) {
	lanes := s.asm.level.lanes
	perRun := attendOutputs * lanes
	for first := 0; first < s.HeadDim; first += perRun {
		n := min(perRun, s.HeadDim-first)
		s.run(decay, 4*first, s.asm.tail(n, (n+lanes-1)/lanes))
	}
}

// run writes the outputs that some vectors hold, from a byte on.
func (s *attend) run(decay reg.VecVirtual, from int, elements []tailMask) {
	a := s.asm
	element := func(base reg.GPVirtual, i int) operand.Mem {
		return operand.Mem{Base: base, Disp: from + i*a.bytes()}
	}
	sums := a.vecs(len(elements))
	for i, m := range elements {
		if decay == nil {
			a.zero(sums[i])
			continue
		}
		a.VMULPS(a.load(m, element(s.y, i)), decay, sums[i])
	}
	values, at, loop := a.pointer("values"), a.GP64(), a.label("value")
	a.XORQ(at, at)
	a.legend("One slot a turn.", holds("outputs", sums...), holds("values", values), holds("slot", at))
	a.Label(loop)
	p := a.vec()
	a.VBROADCASTSS(operand.Mem{Base: s.scratch, Index: at, Scale: 4}, p)
	for i, m := range elements {
		switch {
		case s.Storage == kernel.F16:
			v := a.vec()
			a.VCVTPH2PS(operand.Mem{Base: values, Disp: (from + i*a.bytes()) / 2}, v)
			a.VFMADD231PS(v, p, sums[i])
		case m.all:
			a.VFMADD231PS(element(values, i), p, sums[i])
		default:
			a.VFMADD231PS(a.load(m, element(values, i)), p, sums[i])
		}
	}
	a.ADDQ(operand.U32(uint32(4*s.Values().Row())), values)
	a.INCQ(at)
	a.CMPQ(at, operand.Imm(kernel.PageTokens))
	a.JLT(operand.LabelRef(loop))
	s.divide(sums)
	for i, m := range elements {
		a.store(m, sums[i], element(s.y, i))
	}
}

// divide takes outputs over l on the last page that the token sees.
func (s *attend) divide(sums []reg.VecVirtual) {
	a, more := s.asm, s.asm.label("pages")
	a.CMPQ(s.rel, operand.Imm(kernel.PageTokens))
	a.JGE(operand.LabelRef(more))
	l := a.broadcast(s.stats, 4)
	for _, v := range sums {
		a.VDIVPS(l, v, v)
	}
	a.Label(more)
}
