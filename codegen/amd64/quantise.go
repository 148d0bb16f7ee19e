package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("quantise", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit: func(a *asm, s kernel.Spec) {
			if q := s.(kernel.Quantise); q.Storage == kernel.BF16 {
				(&rounding{asm: a, Quantise: q}).emit()
			} else {
				newQuantise(a, q).emit()
			}
		},
	})
}

// quantise treats one token a turn, group after group.
type quantise struct {
	asm *asm
	kernel.Quantise
	row   kernel.QuantisedRow
	group int // columns
	// Moving from group to group; words is nil where a row has none.
	x, words, bytes reg.GPVirtual
	low, high       reg.VecVirtual // ∓127
}

func newQuantise(a *asm, s kernel.Quantise) *quantise {
	format, _ := s.Storage.Coded()
	return &quantise{asm: a, Quantise: s, row: s.Storage.QuantisedRow(s.K), group: format.Inputs}
}

func (q *quantise) emit() {
	y, x, tokens := q.asm.pointer("y"), q.asm.pointer("x"), q.asm.integer("tokens")
	done, loop := q.asm.label("done"), q.asm.label("token")
	q.asm.TESTQ(tokens, tokens)
	q.asm.JZ(operand.LabelRef(done))
	q.low, q.high = q.asm.constantVec(q.asm.float("least", -127)), q.asm.constantVec(q.asm.float("most", 127))
	tail := q.asm.tail(q.K%q.group, q.vectors())
	q.asm.legend("One token a turn.", holds("inputs", x), holds("outputs", y), holds("tokens left", tokens))
	q.asm.Label(loop)
	q.x, q.bytes = q.asm.GP64(), q.asm.GP64()
	q.asm.MOVQ(x, q.x)
	q.asm.LEAQ(operand.Mem{Base: y, Disp: q.row.Bytes.At}, q.bytes)
	if q.row.Words.Size > 0 {
		q.words = q.asm.GP64()
		q.asm.MOVQ(y, q.words)
	}
	q.groups(tail)
	q.asm.ADDQ(operand.U32(uint32(4*q.StrideX)), x)
	q.asm.ADDQ(operand.U32(uint32(4*q.StrideY)), y)
	q.asm.DECQ(tokens)
	q.asm.JNZ(operand.LabelRef(loop))
	q.asm.Label(done)
}

// vectors is the number of registers that a group takes.
func (q *quantise) vectors() int { return q.group / q.asm.level.lanes }

// groups treats the whole groups of a row, then the rest.
func (q *quantise) groups(tail []tailMask) {
	if whole := q.K / q.group; whole > 0 {
		n, loop := q.asm.GP64(), q.asm.label("group")
		q.asm.MOVQ(operand.U32(uint32(whole)), n)
		q.asm.legend("One group of columns a turn.", holds("inputs", q.x), holds("words", q.words), holds("bytes", q.bytes), holds("groups left", n))
		q.asm.Label(loop)
		q.one(wholeVectors(q.vectors()))
		q.asm.ADDQ(operand.U32(uint32(4*q.group)), q.x)
		q.asm.ADDQ(operand.U32(uint32(q.row.Bytes.Size)), q.bytes)
		if q.words != nil {
			q.asm.ADDQ(operand.U32(uint32(q.row.Words.Size)), q.words)
		}
		q.asm.DECQ(n)
		q.asm.JNZ(operand.LabelRef(loop))
	}
	if q.K%q.group > 0 {
		q.one(tail)
	}
}

// one quantises a group, of which some elements may be absent.
func (q *quantise) one(present []tailMask) {
	values := make([]reg.VecVirtual, len(present))
	for i, m := range present {
		if m.none {
			values[i] = q.asm.vec()
			q.asm.zero(values[i])
			continue
		}
		values[i] = q.asm.load(m, operand.Mem{Base: q.x, Disp: i * q.asm.bytes()})
	}
	inverse := q.scale(q.largest(values))
	for i, v := range values {
		q.asm.VMULPS(inverse, v, v)
		q.asm.VMAXPS(q.low, v, v) // the second operand where v is NaN
		q.asm.VMINPS(q.high, v, v)
		q.asm.VCVTPS2DQ(v, v)
		q.asm.keep(present[i], v)
	}
	if q.row.Bytes.Sums > 0 {
		q.sums(values)
	} else {
		q.zeros(values)
	}
	q.pack(values)
}

// largest is the greatest magnitude, as the bits of a float32: greatest of all
// are those of NaN.
func (q *quantise) largest(values []reg.VecVirtual) reg.VecVirtual {
	absolute, most := q.asm.constant32("absolute", 0x7fffffff), q.asm.vec()
	for i, v := range values {
		if i == 0 {
			q.asm.andMem(absolute, v, most)
			continue
		}
		t := q.asm.vec()
		q.asm.andMem(absolute, v, t)
		q.asm.VPMAXUD(t, most, most)
	}
	return q.fold(most, func(a, b, c reg.VecVirtual) { q.asm.VPMAXUD(a, b, c) })
}

// fold combines all lanes into the first of an X register.
func (q *quantise) fold(v reg.VecVirtual, combine func(a, b, c reg.VecVirtual)) reg.VecVirtual {
	if q.asm.level.lanes == 16 {
		half := q.asm.YMM()
		q.asm.VEXTRACTI64X4(operand.Imm(1), v, half)
		low := q.asm.YMM()
		q.asm.VMOVDQA32(v.AsY(), low)
		combine(half, low, half)
		v = half
	}
	quarter := q.asm.XMM()
	low := q.asm.XMM()
	if q.asm.level.lanes == 16 {
		q.asm.VEXTRACTI32X4(operand.Imm(1), v, quarter)
		q.asm.VMOVDQA32(v.AsX(), low)
	} else {
		q.asm.VEXTRACTI128(operand.Imm(1), v, quarter)
		q.asm.VMOVDQA(v.AsX(), low)
	}
	combine(low, quarter, quarter)
	for _, order := range []byte{0x0e, 0x01} {
		q.asm.VPSHUFD(operand.Imm(uint64(order)), quarter, low)
		combine(low, quarter, quarter)
	}
	return quarter
}

// both calls store with where a group of each width begins.
func (q *quantise) both(store func(group reg.GPVirtual, of kernel.QuantisedGroups)) {
	store(q.bytes, q.row.Bytes)
	if q.words != nil {
		store(q.words, q.row.Words)
	}
}

// scale stores the group's scale and gives its inverse in all lanes.
func (q *quantise) scale(most reg.VecVirtual) reg.VecVirtual {
	steps, t, inverse := q.asm.float("most", 127), q.asm.XMM(), q.asm.vec()
	q.asm.VDIVSS(steps, most, t)
	q.both(func(group reg.GPVirtual, of kernel.QuantisedGroups) {
		q.asm.VMOVSS(t, operand.Mem{Base: group, Disp: of.Scale})
	})
	q.asm.VMOVSS(q.asm.float("tiny", 0x1p-100), t)
	q.asm.VMAXSS(most, t, t) // most where it is NaN
	one := q.asm.XMM()
	q.asm.VMOVSS(steps, one)
	q.asm.VDIVSS(t, one, t)
	q.asm.VBROADCASTSS(t, inverse)
	return inverse
}

// zeros stores −128 times the sum of a group.
func (q *quantise) zeros(values []reg.VecVirtual) {
	sum := q.asm.vec()
	q.asm.VPADDD(values[0], values[1], sum)
	for _, v := range values[2:] {
		q.asm.VPADDD(v, sum, sum)
	}
	total := q.fold(sum, func(a, b, c reg.VecVirtual) { q.asm.VPADDD(a, b, c) })
	negative := q.asm.XMM()
	q.asm.VPSLLD(operand.Imm(7), total, total)
	q.asm.zero(negative)
	q.asm.VPSUBD(total, negative, negative)
	q.both(func(group reg.GPVirtual, of kernel.QuantisedGroups) {
		q.asm.VMOVD(negative, operand.Mem{Base: group, Disp: of.Zero})
	})
}

// sums stores, for the columns of each multiple, minus their sum.
func (q *quantise) sums(values []reg.VecVirtual) {
	each, zero := len(values)/len(kernel.SumOrder), q.asm.XMM()
	q.asm.zero(zero)
	for i, group := range kernel.SumOrder {
		of := values[group*each : (group+1)*each]
		sum := of[0]
		if each == 2 {
			sum = q.asm.vec()
			q.asm.VPADDD(of[0], of[1], sum)
		}
		total := q.fold(sum, func(a, b, c reg.VecVirtual) { q.asm.VPADDD(a, b, c) })
		q.asm.VPSUBD(total, zero, total)
		q.asm.VPEXTRW(operand.Imm(0), total, operand.Mem{Base: q.bytes, Disp: q.row.Bytes.Sums + 2*i})
	}
}

// pack stores the numbers as words, where a row has them, and as bytes.
func (q *quantise) pack(values []reg.VecVirtual) {
	if q.asm.level.lanes == 16 {
		for i, v := range values {
			if q.words != nil {
				q.asm.VPMOVDW(v, operand.Mem{Base: q.words, Disp: 32 * i})
			}
			q.asm.VPMOVDB(v, operand.Mem{Base: q.bytes, Disp: 16 * i})
		}
		return
	}
	for i := 0; i < len(values); i += 4 {
		low, high := q.asm.packWords(values[i], values[i+1]), q.asm.packWords(values[i+2], values[i+3])
		if q.words != nil {
			q.asm.VMOVDQU(low, operand.Mem{Base: q.words, Disp: 16 * i})
			q.asm.VMOVDQU(high, operand.Mem{Base: q.words, Disp: 16*i + 32})
		}
		b := q.asm.YMM()
		q.asm.VPACKSSWB(high, low, b)
		q.asm.VPERMQ(operand.Imm(0xd8), b, b)
		q.asm.VMOVDQU(b, operand.Mem{Base: q.bytes, Disp: 8 * i})
	}
}

// packWords makes words of two vectors; packing goes by halves of 128 bits, which
// are put in order afterwards.
func (a *asm) packWords(low, high reg.VecVirtual) reg.VecVirtual {
	w := a.YMM()
	a.VPACKSSDW(high, low, w)
	a.VPERMQ(operand.Imm(0xd8), w, w)
	return w
}

// andMem is and with a constant in memory.
func (a *asm) andMem(m operand.Mem, x, y reg.VecVirtual) {
	if a.level.lanes == 16 {
		a.VPANDD(m, x, y)
		return
	}
	a.VPAND(m, x, y)
}
