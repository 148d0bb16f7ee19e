package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// bf16 is the feature from which on pairs of bf16 are multiplied as they are.
const bf16 = "avx512bf16"

// dotUses is the feature that makes products of a storage better.
func dotUses(s kernel.Storage) string {
	if s == kernel.BF16 {
		return bf16
	}
	return vnni
}

// dotGemvBF16 is a gemv of rounded inputs: over pairs of bf16, which packed
// panels hold in a lane just as they hold one float32, or over float32.
func dotGemvBF16(a *asm, s kernel.DotGemv) {
	if !a.level.has(bf16) {
		newGemv(a, kernel.Gemv(s)).emit()
		return
	}
	g := newGemv(a, kernel.Gemv{Storage: kernel.F32, K: (s.K + 1) / 2, Epilogue: s.Epilogue})
	g.inputs, g.multiplyAdd = s.Storage.QuantisedRow(s.K).Pairs, a.VDPBF16PS
	g.emit()
}

// dotGemmBF16 is dotGemvBF16 for a run of tokens.
func dotGemmBF16(a *asm, s kernel.DotGemm) {
	if !a.level.has(bf16) {
		newGemm(a, kernel.Gemm(s)).emit()
		return
	}
	g := newGemm(a, kernel.Gemm{Storage: kernel.F32, K: (s.K + 1) / 2, StrideX: s.StrideX, StrideY: s.StrideY, Epilogue: s.Epilogue})
	g.inputs, g.multiplyAdd = s.Storage.QuantisedRow(s.K).Pairs, a.VDPBF16PS
	g.emit()
}

// rounding rounds rows to bf16, some columns a turn: those of one store of words.
type rounding struct {
	*asm
	kernel.Quantise
	x, y, pairs reg.GPVirtual // moving along a row
}

// roundColumns is the number of columns of a turn.
const roundColumns = 16

func (r *rounding) emit() {
	y, x, tokens := r.pointer("y"), r.pointer("x"), r.integer("tokens")
	done, loop := r.label("done"), r.label("token")
	r.TESTQ(tokens, tokens)
	r.JZ(operand.LabelRef(done))
	tail := r.tail(r.K%roundColumns, roundColumns/r.level.lanes)
	r.legend("One token a turn.", holds("inputs", x), holds("outputs", y), holds("tokens left", tokens))
	r.Label(loop)
	r.x, r.y, r.pairs = r.GP64(), r.GP64(), r.GP64()
	r.MOVQ(x, r.x)
	r.MOVQ(y, r.y)
	r.LEAQ(operand.Mem{Base: y, Disp: r.Storage.QuantisedRow(r.K).Pairs}, r.pairs)
	r.columns(tail)
	r.ADDQ(operand.U32(uint32(4*r.StrideX)), x)
	r.ADDQ(operand.U32(uint32(4*r.StrideY)), y)
	r.DECQ(tokens)
	r.JNZ(operand.LabelRef(loop))
	r.Label(done)
}

// columns rounds a row: whole turns, then what is left.
func (r *rounding) columns(tail []tailMask) {
	if turns := r.K / roundColumns; turns > 0 {
		n, loop := r.GP64(), r.label("columns")
		r.MOVQ(operand.U32(uint32(turns)), n)
		r.legend("16 columns a turn.", holds("inputs", r.x), holds("numbers", r.y), holds("bf16", r.pairs), holds("turns left", n))
		r.Label(loop)
		all := make([]tailMask, len(tail))
		for i := range all {
			all[i].all = true
		}
		r.turn(all)
		r.ADDQ(operand.U32(4*roundColumns), r.x)
		r.ADDQ(operand.U32(4*roundColumns), r.y)
		r.ADDQ(operand.U32(2*roundColumns), r.pairs)
		r.DECQ(n)
		r.JNZ(operand.LabelRef(loop))
	}
	if r.K%roundColumns > 0 {
		r.turn(tail)
	}
}

// turn rounds some columns, of which those that are absent count as zero.
func (r *rounding) turn(present []tailMask) {
	values := make([]reg.VecVirtual, len(present))
	for i, m := range present {
		if m.none {
			values[i] = r.vec()
			r.zero(values[i])
		} else {
			values[i] = r.load(m, operand.Mem{Base: r.x, Disp: i * r.bytes()})
			r.round(values[i])
		}
		r.VMOVUPS(values[i], operand.Mem{Base: r.y, Disp: i * r.bytes()})
		r.VPSRAD(operand.Imm(16), values[i], values[i])
	}
	if r.level.lanes == roundColumns {
		r.VPMOVDW(values[0], operand.Mem{Base: r.pairs})
		return
	}
	words := r.YMM()
	r.VPACKSSDW(values[1], values[0], words)
	r.VPERMQ(operand.Imm(0xd8), words, words)
	r.VMOVDQU(words, operand.Mem{Base: r.pairs})
}

// round makes bf16 of float32; the product with one sets a NaN's quiet bit.
func (r *rounding) round(v reg.VecVirtual) {
	absolute := r.constant32("absolute", 0x7fffffff)
	sign, odd := r.vec(), r.vec()
	r.VMULPS(r.float("one", 1), v, v)
	r.andMem(r.constant32("sign", 1<<31), v, sign)
	r.andMem(absolute, v, v)
	r.VPSRLD(operand.Imm(16), v, odd)
	r.andMem(r.constant32("lowBit", 1), odd, odd)
	r.VPADDD(odd, v, v)
	r.VPADDD(r.constant32("almostHalf", 0x7fff), v, v)
	r.VPMINUD(absolute, v, v)
	r.andMem(r.constant32("highHalf", 0xffff0000), v, v)
	r.VORPS(sign, v, v)
}
