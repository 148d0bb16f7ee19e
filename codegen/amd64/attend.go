package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("attend", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit:     func(a *asm, s kernel.Spec) { (&attend{asm: a, Attend: s.(kernel.Attend)}).emit() },
	})
}

// attend treats tiles of rows: a row is a head of queries of a token, those of a
// tile are heads of one token where there are enough, or else tokens of one head.
// What is loaded and widened of a page serves all rows of a tile; the page itself,
// a few tens of KiB, stays in the caches for all tiles.
type attend struct {
	asm *asm
	kernel.Attend
	y, q, stats reg.GPVirtual // of the first row of the tile
	rel         reg.GPVirtual // the slot of its token: its position − base
	left        reg.GPVirtual // tokens
	scratch     reg.GPVirtual // scores, a page for each row, and the rows' decays
	heads       bool          // rows are heads
	height      int           // rows of the tile at hand
}

// attendOutputs is the number of registers of elements that are summed at once
// for a single row.
const attendOutputs = 8

// decays is where the rows' decays begin in scratch.
const decays = 4 * kernel.AttendTile * kernel.PageTokens

func (s *attend) emit() {
	a := s.asm
	s.heads = s.Group >= kernel.AttendTile
	if s.heads || s.Group == 1 {
		s.begin(nil, nil)
		return
	}
	head, stat, loop := a.GP64(), a.GP64(), a.label("head")
	a.XORQ(head, head)
	a.XORQ(stat, stat)
	a.legend("One head of queries a turn.", holds("its byte in outputs and queries", head), holds("that in maxima and sums", stat))
	a.Label(loop)
	s.begin(head, stat)
	a.ADDQ(operand.Imm(8), stat)
	a.ADDQ(operand.U32(uint32(4*s.HeadDim)), head)
	a.CMPQ(head, operand.U32(uint32(4*s.HeadDim*s.Group)))
	a.JLT(operand.LabelRef(loop))
}

// begin goes to the first token that sees any of the page, and from there on to
// the last. The offsets are those of a head, nil for the first.
func (s *attend) begin(head, stat reg.GPVirtual) {
	a, done := s.asm, s.asm.label("done")
	s.y, s.q, s.stats = s.from("y", head), s.from("q", head), s.from("stats", stat)
	s.rel, s.left = a.integer("position"), a.integer("tokens")
	a.SUBQ(a.integer("base"), s.rel)
	s.skip()
	a.TESTQ(s.left, s.left)
	a.JLE(operand.LabelRef(done))
	if s.heads {
		s.tokens()
	} else {
		s.tiles(s.left, 4*s.StrideQ, 4*s.StrideY, 8*s.Group)
	}
	a.Label(done)
}

// from is a pointer, moved by an offset if there is one.
func (s *attend) from(name string, offset reg.GPVirtual) reg.GPVirtual {
	if offset == nil {
		return s.asm.pointer(name)
	}
	return s.asm.pointerFrom(name, offset)
}

// skip leaves out tokens that see nothing of the page: the page lies behind the
// first of them, and further back than the windows of the last.
func (s *attend) skip() {
	a, near := s.asm, s.asm.label("near")
	a.TESTQ(s.rel, s.rel)
	a.JGE(operand.LabelRef(near))
	a.ADDQ(s.rel, s.left)
	for _, p := range []move{{s.y, s.StrideY}, {s.q, s.StrideQ}, {s.stats, 2 * s.Group}} {
		n := a.GP64()
		a.IMUL3Q(operand.U32(uint32(4*p.stride)), s.rel, n)
		a.SUBQ(n, p.row)
	}
	a.XORQ(s.rel, s.rel)
	a.Label(near)
	if s.Window > 0 {
		most, all := a.GP64(), a.label("all")
		a.MOVQ(operand.U32(uint32(kernel.PageTokens+s.Window-1)), most)
		a.SUBQ(s.rel, most)
		a.CMPQ(s.left, most)
		a.JLT(operand.LabelRef(all))
		a.MOVQ(most, s.left)
		a.Label(all)
	}
}

// tokens treats the heads of one token after the other.
func (s *attend) tokens() {
	a, loop := s.asm, s.asm.label("token")
	a.legend("One token a turn.", holds("outputs", s.y), holds("queries", s.q), holds("maxima and sums", s.stats), holds("slot", s.rel), holds("tokens left", s.left))
	a.Label(loop)
	n, width := a.GP64(), 4*s.HeadDim
	a.MOVQ(operand.U32(uint32(s.Group)), n)
	s.tiles(n, width, width, 8)
	a.ADDQ(operand.U32(uint32(4*s.StrideY-width*s.Group)), s.y)
	a.ADDQ(operand.U32(uint32(4*s.StrideQ-width*s.Group)), s.q)
	a.INCQ(s.rel)
	a.DECQ(s.left)
	a.JNZ(operand.LabelRef(loop))
}

// tiles treats n rows that lie some bytes apart: as many as go in whole tiles, the
// others one by one.
func (s *attend) tiles(n reg.GPVirtual, q, y, stats int) {
	a := s.asm
	for _, height := range []int{kernel.AttendTile, 1} {
		loop, next := a.label("tile"), a.label("rest")
		a.legend("Some rows a turn.", holds("outputs", s.y), holds("queries", s.q), holds("maxima and sums", s.stats), holds("slot", s.rel), holds("rows left", n))
		a.Label(loop)
		a.CMPQ(n, operand.Imm(uint64(height)))
		a.JLT(operand.LabelRef(next))
		s.height = height
		(&attendTile{attend: s, stepQ: q, stepY: y, stepStats: stats}).emit()
		a.ADDQ(operand.U32(uint32(height*y)), s.y)
		a.ADDQ(operand.U32(uint32(height*q)), s.q)
		a.ADDQ(operand.U32(uint32(height*stats)), s.stats)
		if !s.heads {
			a.ADDQ(operand.Imm(uint64(height)), s.rel)
		}
		a.SUBQ(operand.Imm(uint64(height)), n)
		a.JMP(operand.LabelRef(loop))
		a.Label(next)
	}
}

// attendTile is some rows, whose arrays are steps of bytes apart.
type attendTile struct {
	*attend
	stepQ, stepY, stepStats int
}

// emit computes scores of all slots side by side, a row of the keys a turn, and
// outputs of all elements side by side, a row of the values a turn.
func (s *attendTile) emit() {
	s.scratch = s.asm.pointer("scratch")
	s.score()
	for r := range s.height {
		s.hide(r)
		s.exponentials(r)
	}
	s.write()
}

// token is how far the token of a row is behind that of the first.
func (s *attendTile) token(r int) int {
	if s.heads {
		return 0
	}
	return r
}

// ifFirst jumps to a label unless the page is the first of which a row's token
// sees anything.
func (s *attendTile) ifFirst(r int, otherwise string) {
	a, first, base := s.asm, s.asm.label("first"), s.asm.integer("base")
	a.TESTQ(base, base)
	if s.Window > 0 {
		a.JZ(operand.LabelRef(first))
		a.CMPQ(s.rel, operand.I32(int32(s.Window-1-s.token(r))))
		a.JLT(operand.LabelRef(otherwise))
		a.Label(first)
		return
	}
	a.JNZ(operand.LabelRef(otherwise))
}

// slotVectors is the number of registers that a page's slots take.
func (s *attend) slotVectors() int { return kernel.PageTokens / s.asm.level.lanes }

// slots is vector i of the scores of a row in scratch.
func (s *attend) slots(r, i int) operand.Mem {
	return operand.Mem{Base: s.scratch, Disp: 4*r*kernel.PageTokens + i*s.asm.bytes()}
}

// stat is the maximum (0) or the sum (1) of a row.
func (s *attendTile) stat(r, i int) operand.Mem {
	return operand.Mem{Base: s.stats, Disp: r*s.stepStats + 4*i}
}

// hide makes the scores of slots that a row's token does not see −∞: those after
// its own, and those before its window.
func (s *attendTile) hide(r int) {
	a := s.asm
	hidden, at := a.GP32(), a.GP64()
	a.MOVL(operand.U32(math.Float32bits(float32(math.Inf(-1)))), hidden)
	slot := operand.Mem{Base: s.scratch, Index: at, Scale: 4, Disp: 4 * r * kernel.PageTokens}
	loop, test, before := a.label("after"), a.label("afterTest"), a.label("before")
	a.LEAQ(operand.Mem{Base: s.rel, Disp: s.token(r)}, at)
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
	a.LEAQ(operand.Mem{Base: s.rel, Disp: s.token(r) - s.Window}, at)
	a.TESTQ(at, at)
	a.JLT(operand.LabelRef(shown))
	a.Label(before)
	a.MOVL(hidden, slot)
	a.DECQ(at)
	a.JGE(operand.LabelRef(before))
	a.Label(shown)
}

// exponentials turns the scores of a row into what it weighs the values by, leaves
// maximum and sum in stats, and in scratch what earlier pages decay by; on a first
// page that is of no use.
func (s *attendTile) exponentials(r int) {
	a := s.asm
	scores := a.vecs(s.slotVectors())
	for i, v := range scores {
		a.VMOVUPS(s.slots(r, i), v)
	}
	most, before := s.maximum(scores), a.vec()
	a.VBROADCASTSS(s.stat(r, 0), before)
	first, known := a.label("alone"), a.label("known")
	s.ifFirst(r, first)
	a.VMOVAPS(most, before)
	a.JMP(operand.LabelRef(known))
	a.Label(first)
	a.VMAXPS(before, most, most)
	a.Label(known)
	a.VMOVSS(most.AsX(), s.stat(r, 0))
	k := a.expConstants()
	a.VSUBPS(most, before, before)
	decay := a.exp([]reg.VecVirtual{before}, k)[0]
	a.VMOVSS(decay.AsX(), operand.Mem{Base: s.scratch, Disp: decays + 4*r})
	s.sum(r, decay, s.powers(r, most, k))
}

// maximum is the greatest score in all lanes.
func (s *attend) maximum(scores []reg.VecVirtual) reg.VecVirtual {
	a := s.asm
	for n := len(scores); n > 1; n /= 2 {
		for i := range n / 2 {
			a.VMAXPS(scores[i+n/2], scores[i], scores[i])
		}
	}
	most := scores[0]
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

// powers replaces the scores of a row in scratch by exp(s − m), times the scales
// of the values where these have some, and gives the 16 sums without those.
func (s *attendTile) powers(r int, most reg.VecVirtual, k *expConstants) []reg.VecVirtual {
	a := s.asm
	sums := a.zeros(a.normVectors())
	var values reg.GPVirtual
	if s.Values().Scales() > 0 {
		values = a.pointer("values")
	}
	atOnce := 2
	for first := 0; first < s.slotVectors(); first += atOnce {
		x := a.vecs(atOnce)
		for i, v := range x {
			a.VMOVUPS(s.slots(r, first+i), v)
			a.VSUBPS(most, v, v)
		}
		for i, p := range a.exp(x, k) {
			sum := sums[(first+i)%len(sums)]
			a.VADDPS(p, sum, sum)
			if values != nil {
				a.VMULPS(operand.Mem{Base: values, Disp: (first + i) * a.bytes()}, p, p)
			}
			a.VMOVUPS(p, s.slots(r, first+i))
		}
	}
	return sums
}

// sum leaves l in stats: Σ p, and on later pages what there was times decay.
func (s *attendTile) sum(r int, decay reg.VecVirtual, sums []reg.VecVirtual) {
	a := s.asm
	l := a.sumLanes(sums).AsX()
	store := a.label("storeSum")
	fresh := a.label("more")
	s.ifFirst(r, fresh)
	a.JMP(operand.LabelRef(store))
	a.Label(fresh)
	a.VFMADD231SS(s.stat(r, 1), decay.AsX(), l)
	a.Label(store)
	a.VMOVSS(l, s.stat(r, 1))
}
