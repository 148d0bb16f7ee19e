package amd64

import (
	"strconv"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// score writes Scale·Σ_d q_d·K_dj of all slots to scratch, times the scale of K_j
// if it has one: of a single row all slots at once, of several a block of slots a
// turn.
func (s *attendTile) score() {
	a := s.asm
	if s.height == 1 {
		s.scoreBlock(a.pointer("keys"), s.slotVectors(), 0)
		return
	}
	vectors := attendBlock(a.level)
	for first := 0; first < s.slotVectors(); first += vectors {
		s.scoreBlock(a.pointer("keys"), vectors, first)
	}
}

// attendBlock is the number of registers of slots, or of elements, of a tile: what
// the registers hold beside what is widened.
func attendBlock(l *Level) int { return l.registers / 8 }

// scoreBlock is the scores of some vectors of slots.
func (s *attendTile) scoreBlock(keys reg.GPVirtual, vectors, first int) {
	a, layout := s.asm, s.Keys()
	sums := make([][]reg.VecVirtual, s.height)
	var all []reg.VecVirtual
	for r := range sums {
		sums[r] = a.zeros(vectors)
		all = append(all, sums[r]...)
	}
	from := 4*layout.Scales() + first*a.bytes()
	q, n := a.GP64(), s.Storage.PerWord()
	a.MOVQ(s.q, q)
	word := newWordReader(a, s.Storage)
	left, values := a.GP64(), reg.GPVirtual(nil)
	if s.asksForValues(first) {
		values = a.pointer("values")
	}
	if whole := s.HeadDim / n; whole > 0 {
		loop := a.label("key")
		a.MOVQ(operand.U32(uint32(whole)), left)
		a.legend("A word of the keys a turn.", holds("scores", all...), holds("keys", keys), holds("query", q), holds("words left", left))
		a.Label(loop)
		if values != nil {
			s.ask(values)
		}
		s.addKeys(word, keys, q, from, n, sums)
		a.ADDQ(operand.Imm(uint64(4*n)), q)
		a.ADDQ(operand.U32(4*kernel.PageTokens), keys)
		a.DECQ(left)
		a.JNZ(operand.LabelRef(loop))
	}
	if rest := s.HeadDim % n; rest > 0 {
		s.addKeys(word, keys, q, from, rest, sums)
	}
	s.storeScores(vectors, first, sums)
}

// asksForValues reports whether the values are asked for while the keys are read:
// by the first rows of a decode, of which there are few. Keys and values lie apart,
// and no hardware looks from one to the other.
func (s *attendTile) asksForValues(first int) bool {
	return first == 0 && (s.heads || s.height == 1)
}

// ask asks for as many values as a row of the keys has bytes.
func (s *attendTile) ask(values reg.GPVirtual) {
	const line = 64
	for at := 0; at < 4*kernel.PageTokens; at += line {
		s.asm.PREFETCHT0(operand.Mem{Base: values, Disp: at})
	}
	s.asm.ADDQ(operand.U32(4*kernel.PageTokens), values)
}

// addKeys adds the products of some elements, those of a word.
func (s *attendTile) addKeys(word *wordReader, keys, q reg.GPVirtual, from, elements int, sums [][]reg.VecVirtual) {
	a := s.asm
	query := func(r, e int) reg.VecVirtual { return a.broadcast(q, r*s.stepQ+4*e) }
	at := func(i int) operand.Mem { return operand.Mem{Base: keys, Disp: from + i*a.bytes()} }
	if s.height == 1 {
		var x []reg.VecVirtual
		for e := range elements {
			x = append(x, query(0, e))
		}
		for i, sum := range sums[0] {
			w := word.load(at(i))
			for e := range elements {
				a.VFMADD231PS(w.element(e), x[e], sum)
			}
		}
		return
	}
	var words []*loadedWord
	for i := range sums[0] {
		words = append(words, word.load(at(i)))
	}
	for e := range elements {
		var k []reg.VecVirtual
		for _, w := range words {
			k = append(k, w.element(e))
		}
		for r := range sums {
			x := query(r, e)
			for i, sum := range sums[r] {
				a.VFMADD231PS(k[i], x, sum)
			}
		}
	}
}

// storeScores scales sums and writes them to scratch.
func (s *attendTile) storeScores(vectors, first int, sums [][]reg.VecVirtual) {
	a := s.asm
	scale := a.constantVec(a.float("scale"+strconv.Itoa(int(s.ScaleBits)), s.Scale()))
	var keys reg.GPVirtual
	if s.Keys().Scales() > 0 {
		keys = a.pointer("keys")
	}
	for r := range sums {
		for i, v := range sums[r] {
			a.VMULPS(scale, v, v)
			if keys != nil {
				a.VMULPS(operand.Mem{Base: keys, Disp: (first + i) * a.bytes()}, v, v)
			}
			a.VMOVUPS(v, s.slots(r, first+i))
		}
	}
}

// wordReader widens words of a page that hold elements of one token each.
type wordReader struct {
	a       *asm
	storage kernel.Storage
	index   reg.VecVirtual // gathers even halves low and odd halves high (f16)
}

func newWordReader(a *asm, s kernel.Storage) *wordReader {
	w := &wordReader{a: a, storage: s}
	switch {
	case s == kernel.F16 && a.level.lanes == 16:
		// Words 0, 2, … 30 to the low half, 1, 3, … 31 to the high half.
		w.index = a.constantVec(a.global("evenOdd", func(i int) uint32 {
			n := uint32(4*(i%8) + i/8)
			return n | (n+2)<<16
		}))
	case s == kernel.F16:
		// Per 128 bits: even halves to the low 64, odd ones to the high 64.
		w.index = a.constantVec(a.global("evenOdd", func(i int) uint32 {
			return [4]uint32{0x05040100, 0x0d0c0908, 0x07060302, 0x0f0e0b0a}[i%4]
		}))
	}
	return w
}

// loadedWord is a vector of words.
type loadedWord struct {
	*wordReader
	elements []reg.VecVirtual // widened; of Int8 all four, still packed
}

func (w *wordReader) load(m operand.Mem) *loadedWord {
	v := w.a.vec()
	w.a.VMOVUPS(m, v)
	if w.storage == kernel.F16 {
		return &loadedWord{w, w.halves(v)}
	}
	return &loadedWord{w, []reg.VecVirtual{v}}
}

// halves converts the low and the high half of every word, exactly.
func (w *wordReader) halves(words reg.VecVirtual) []reg.VecVirtual {
	a, low, high := w.a, w.a.vec(), w.a.vec()
	if a.level.lanes == 16 {
		a.widenHalves(words, w.index, low, high)
		return []reg.VecVirtual{low, high}
	}
	a.VPSHUFB(w.index, words, words)
	a.VPERMQ(operand.Imm(0xd8), words, words)
	a.VCVTPH2PS(words.AsX(), low)
	a.VEXTRACTI128(operand.Imm(1), words, words.AsX())
	a.VCVTPH2PS(words.AsX(), high)
	return []reg.VecVirtual{low, high}
}

// element is element e of every word.
func (w *loadedWord) element(e int) reg.VecVirtual {
	if w.storage != kernel.Int8 {
		return w.elements[e]
	}
	a, v := w.a, w.a.vec()
	from := w.elements[0]
	if above := 3 - e; above > 0 {
		a.VPSLLD(operand.Imm(uint64(8*above)), from, v)
		from = v
	}
	a.VPSRAD(operand.Imm(24), from, v)
	a.VCVTDQ2PS(v, v)
	return v
}
