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
	*asm
	kernel.Quantise
	row       kernel.QuantisedRow
	group     int            // columns
	x, y      reg.GPVirtual  // moving from group to group
	low, high reg.VecVirtual // ∓127
}

func newQuantise(a *asm, s kernel.Quantise) *quantise {
	format, _ := s.Storage.Coded()
	return &quantise{asm: a, Quantise: s, row: s.Storage.QuantisedRow(s.K), group: format.Group}
}

func (q *quantise) emit() {
	y, x, tokens := q.pointer("y"), q.pointer("x"), q.integer("tokens")
	done, loop := q.label("done"), q.label("token")
	q.TESTQ(tokens, tokens)
	q.JZ(operand.LabelRef(done))
	q.low, q.high = q.constantVec(q.float("least", -127)), q.constantVec(q.float("most", 127))
	tail := q.tail(q.K%q.group, q.vectors())
	q.legend("One token a turn.", holds("inputs", x), holds("outputs", y), holds("tokens left", tokens))
	q.Label(loop)
	q.x, q.y = q.GP64(), q.GP64()
	q.MOVQ(x, q.x)
	q.MOVQ(y, q.y)
	q.groups(tail)
	q.ADDQ(operand.U32(uint32(4*q.StrideX)), x)
	q.ADDQ(operand.U32(uint32(4*q.StrideY)), y)
	q.DECQ(tokens)
	q.JNZ(operand.LabelRef(loop))
	q.Label(done)
}

// vectors is the number of registers that a group takes.
func (q *quantise) vectors() int { return q.group / q.level.lanes }

// groups treats the whole groups of a row, then the rest.
func (q *quantise) groups(tail []tailMask) {
	if whole := q.K / q.group; whole > 0 {
		n, loop := q.GP64(), q.label("group")
		q.MOVQ(operand.U32(uint32(whole)), n)
		q.legend("One group of columns a turn.", holds("inputs", q.x), holds("outputs", q.y), holds("groups left", n))
		q.Label(loop)
		all := make([]tailMask, q.vectors())
		for i := range all {
			all[i].all = true
		}
		q.one(all)
		q.ADDQ(operand.U32(uint32(4*q.group)), q.x)
		q.ADDQ(operand.U32(uint32(q.row.GroupBytes)), q.y)
		q.DECQ(n)
		q.JNZ(operand.LabelRef(loop))
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
			values[i] = q.vec()
			q.zero(values[i])
			continue
		}
		values[i] = q.load(m, operand.Mem{Base: q.x, Disp: i * q.bytes()})
	}
	inverse := q.scale(q.largest(values))
	for i, v := range values {
		q.VMULPS(inverse, v, v)
		q.VMAXPS(q.low, v, v) // the second operand where v is NaN
		q.VMINPS(q.high, v, v)
		q.VCVTPS2DQ(v, v)
		q.keep(present[i], v)
	}
	q.zeros(values)
	q.pack(values)
}

// largest is the greatest magnitude, as the bits of a float32: greatest of all
// are those of NaN.
func (q *quantise) largest(values []reg.VecVirtual) reg.VecVirtual {
	absolute, most := q.constant32("absolute", 0x7fffffff), q.vec()
	for i, v := range values {
		if i == 0 {
			q.andMem(absolute, v, most)
			continue
		}
		t := q.vec()
		q.andMem(absolute, v, t)
		q.VPMAXUD(t, most, most)
	}
	return q.fold(most, func(a, b, c reg.VecVirtual) { q.VPMAXUD(a, b, c) })
}

// fold combines all lanes into the first of an X register.
func (q *quantise) fold(v reg.VecVirtual, combine func(a, b, c reg.VecVirtual)) reg.VecVirtual {
	if q.level.lanes == 16 {
		half := q.YMM()
		q.VEXTRACTI64X4(operand.Imm(1), v, half)
		low := q.YMM()
		q.VMOVDQA32(v.AsY(), low)
		combine(half, low, half)
		v = half
	}
	quarter := q.XMM()
	low := q.XMM()
	if q.level.lanes == 16 {
		q.VEXTRACTI32X4(operand.Imm(1), v, quarter)
		q.VMOVDQA32(v.AsX(), low)
	} else {
		q.VEXTRACTI128(operand.Imm(1), v, quarter)
		q.VMOVDQA(v.AsX(), low)
	}
	combine(low, quarter, quarter)
	for _, order := range []byte{0x0e, 0x01} {
		q.VPSHUFD(operand.Imm(uint64(order)), quarter, low)
		combine(low, quarter, quarter)
	}
	return quarter
}

// scale stores the group's scale and gives its inverse in all lanes.
func (q *quantise) scale(most reg.VecVirtual) reg.VecVirtual {
	steps, t, inverse := q.float("most", 127), q.XMM(), q.vec()
	q.VDIVSS(steps, most, t)
	q.VMOVSS(t, operand.Mem{Base: q.y, Disp: q.row.Scale})
	q.VMOVSS(q.float("tiny", 0x1p-100), t)
	q.VMAXSS(most, t, t) // most where it is NaN
	one := q.XMM()
	q.VMOVSS(steps, one)
	q.VDIVSS(t, one, t)
	q.VBROADCASTSS(t, inverse)
	return inverse
}

// zeros stores −128 times the sum of a group.
func (q *quantise) zeros(values []reg.VecVirtual) {
	sum := q.vec()
	q.VPADDD(values[0], values[1], sum)
	for _, v := range values[2:] {
		q.VPADDD(v, sum, sum)
	}
	total := q.fold(sum, func(a, b, c reg.VecVirtual) { q.VPADDD(a, b, c) })
	negative := q.XMM()
	q.VPSLLD(operand.Imm(7), total, total)
	q.VPXOR(negative, negative, negative)
	q.VPSUBD(total, negative, negative)
	q.VMOVD(negative, operand.Mem{Base: q.y, Disp: q.row.Zero})
}

// pack stores the numbers as words and as bytes.
func (q *quantise) pack(values []reg.VecVirtual) {
	if q.level.lanes == 16 {
		for i, v := range values {
			q.VPMOVDW(v, operand.Mem{Base: q.y, Disp: 32 * i})
			q.VPMOVDB(v, operand.Mem{Base: q.y, Disp: q.row.Bytes + 16*i})
		}
		return
	}
	for i := 0; i < len(values); i += 4 {
		low, high := q.packWords(values[i:i+2], 16*i), q.packWords(values[i+2:i+4], 16*i+32)
		b := q.YMM()
		q.VPACKSSWB(high, low, b)
		q.VPERMQ(operand.Imm(0xd8), b, b)
		q.VMOVDQU(b, operand.Mem{Base: q.y, Disp: q.row.Bytes + 8*i})
	}
}

// packWords makes words of two vectors and stores them; packing goes by halves
// of 128 bits, which are put in order afterwards.
func (q *quantise) packWords(v []reg.VecVirtual, at int) reg.VecVirtual {
	w := q.YMM()
	q.VPACKSSDW(v[1], v[0], w)
	q.VPERMQ(operand.Imm(0xd8), w, w)
	q.VMOVDQU(w, operand.Mem{Base: q.y, Disp: at})
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
