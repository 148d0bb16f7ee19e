package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/amd64/evex"
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

// dotPairs adds products of pairs of bf16, as evex.VDPBF16PS tells.
func (a *asm) dotPairs(ops ...operand.Op) { a.Instruction(evex.VDPBF16PS(ops...)) }

// dotGemvBF16 is a gemv of rounded inputs: over pairs of bf16, which packed
// panels hold in a lane just as they hold one float32, or over float32.
func dotGemvBF16(a *asm, s kernel.DotGemv) {
	if !a.level.has(bf16) {
		newGemv(a, kernel.Gemv(s)).emit()
		return
	}
	g := newGemv(a, kernel.Gemv{Storage: kernel.F32, K: (s.K + 1) / 2, Epilogue: s.Epilogue})
	g.inputs, g.multiplyAdd = s.Storage.QuantisedRow(s.K).Pairs, a.dotPairs
	g.emit()
}

// dotGemmBF16 is dotGemvBF16 for a run of tokens.
func dotGemmBF16(a *asm, s kernel.DotGemm) {
	g := newGemm(a, a.level.roundedGemm(s))
	if a.level.has(bf16) {
		g.inputs, g.multiplyAdd = s.Storage.QuantisedRow(s.K).Pairs, a.dotPairs
	}
	g.emit()
}

// roundedGemm is the product of float32 that one of rounded inputs has the form
// of.
func (l *Level) roundedGemm(s kernel.DotGemm) kernel.Gemm {
	g := kernel.Gemm(s)
	if l.has(bf16) {
		g.Storage, g.K = kernel.F32, (s.K+1)/2
	}
	return g
}

// rounding rounds rows to bf16, some columns a turn: those of one store of words.
type rounding struct {
	asm *asm
	kernel.Quantise
	x, y, pairs reg.GPVirtual // moving along a row
}

// roundColumns is the number of columns of a turn.
const roundColumns = 16

func (r *rounding) emit() {
	y, x, tokens := r.asm.pointer("y"), r.asm.pointer("x"), r.asm.integer("tokens")
	done, loop := r.asm.label("done"), r.asm.label("token")
	r.asm.TESTQ(tokens, tokens)
	r.asm.JZ(operand.LabelRef(done))
	tail := r.asm.tail(r.K%roundColumns, roundColumns/r.asm.level.lanes)
	r.asm.legend("One token a turn.", holds("inputs", x), holds("outputs", y), holds("tokens left", tokens))
	r.asm.Label(loop)
	r.x, r.y, r.pairs = r.asm.GP64(), r.asm.GP64(), r.asm.GP64()
	r.asm.MOVQ(x, r.x)
	r.asm.MOVQ(y, r.y)
	r.asm.LEAQ(operand.Mem{Base: y, Disp: r.Storage.QuantisedRow(r.K).Pairs}, r.pairs)
	r.columns(tail)
	r.asm.ADDQ(operand.U32(uint32(4*r.StrideX)), x)
	r.asm.ADDQ(operand.U32(uint32(4*r.StrideY)), y)
	r.asm.DECQ(tokens)
	r.asm.JNZ(operand.LabelRef(loop))
	r.asm.Label(done)
}

// columns rounds a row: whole turns, then what is left.
func (r *rounding) columns(tail []tailMask) {
	if turns := r.K / roundColumns; turns > 0 {
		n, loop := r.asm.GP64(), r.asm.label("columns")
		r.asm.MOVQ(operand.U32(uint32(turns)), n)
		r.asm.legend("16 columns a turn.", holds("inputs", r.x), holds("numbers", r.y), holds("bf16", r.pairs), holds("turns left", n))
		r.asm.Label(loop)
		r.turn(wholeVectors(len(tail)))
		r.asm.ADDQ(operand.U32(4*roundColumns), r.x)
		r.asm.ADDQ(operand.U32(4*roundColumns), r.y)
		r.asm.ADDQ(operand.U32(2*roundColumns), r.pairs)
		r.asm.DECQ(n)
		r.asm.JNZ(operand.LabelRef(loop))
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
			values[i] = r.asm.vec()
			r.asm.zero(values[i])
		} else {
			values[i] = r.asm.load(m, operand.Mem{Base: r.x, Disp: i * r.asm.bytes()})
			r.round(values[i])
		}
		r.asm.VMOVUPS(values[i], operand.Mem{Base: r.y, Disp: i * r.asm.bytes()})
		r.asm.VPSRAD(operand.Imm(16), values[i], values[i])
	}
	if r.asm.level.lanes == roundColumns {
		r.asm.VPMOVDW(values[0], operand.Mem{Base: r.pairs})
		return
	}
	r.asm.VMOVDQU(r.asm.packWords(values[0], values[1]), operand.Mem{Base: r.pairs})
}

// round makes bf16 of float32; the product with one sets a NaN's quiet bit.
func (r *rounding) round(v reg.VecVirtual) {
	absolute := r.asm.constant32("absolute", 0x7fffffff)
	sign, odd := r.asm.vec(), r.asm.vec()
	r.asm.VMULPS(r.asm.float("one", 1), v, v)
	r.asm.andMem(r.asm.constant32("sign", 1<<31), v, sign)
	r.asm.andMem(absolute, v, v)
	r.asm.VPSRLD(operand.Imm(16), v, odd)
	r.asm.andMem(r.asm.constant32("lowBit", 1), odd, odd)
	r.asm.VPADDD(odd, v, v)
	r.asm.VPADDD(r.asm.constant32("almostHalf", 0x7fff), v, v)
	r.asm.VPMINUD(absolute, v, v)
	r.asm.andMem(r.asm.constant32("highHalf", 0xffff0000), v, v)
	r.asm.VORPS(sign, v, v)
}
