package amd64

import (
	"strconv"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("rmsnorm", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit:     func(a *asm, s kernel.Spec) { (&rmsnorm{asm: a, RMSNorm: s.(kernel.RMSNorm)}).emit() },
	})
}

// normLanes is the number of partial sums, the same in every level.
const normLanes = 16

// rmsnorm treats one token a turn: the sum of squares, then the products.
type rmsnorm struct {
	*asm
	kernel.RMSNorm
	x, y, w reg.GPVirtual
	tail    []tailMask
}

func (r *rmsnorm) emit() {
	r.y, r.x = r.pointer("y"), r.pointer("x")
	if r.Weight {
		r.w = r.pointer("w")
	}
	tokens := r.integer("tokens")
	done, loop := r.label("done"), r.label("token")
	r.TESTQ(tokens, tokens)
	r.JZ(operand.LabelRef(done))
	// The elements past the last whole 16.
	r.tail = r.asm.tail(r.Width%normLanes, r.vectors())
	r.legend("One token a turn.", holds("inputs", r.x), holds("outputs", r.y), holds("tokens left", tokens))
	r.Label(loop)
	r.products(r.scale())
	r.ADDQ(operand.U32(uint32(4*r.StrideX)), r.x)
	r.ADDQ(operand.U32(uint32(4*r.StrideY)), r.y)
	r.DECQ(tokens)
	r.JNZ(operand.LabelRef(loop))
	r.Label(done)
}

// vectors is the number of registers that 16 lanes take.
func (r *rmsnorm) vectors() int { return normLanes / r.level.lanes }

// scale is 1/√(mean(x²)+eps) in all lanes.
func (r *rmsnorm) scale() reg.VecVirtual {
	sums := r.vecs(r.vectors())
	for _, v := range sums {
		r.zero(v)
	}
	if whole := r.Width / normLanes; whole > 0 {
		p, n, loop := r.GP64(), r.GP64(), r.label("squares")
		r.MOVQ(r.x, p)
		r.MOVQ(operand.U32(uint32(whole)), n)
		r.legend("Squares of 16 elements a turn.", holds("sums", sums...), holds("inputs", p), holds("turns left", n))
		r.Label(loop)
		for i, sum := range sums {
			v := r.vec()
			r.VMOVUPS(operand.Mem{Base: p, Disp: i * r.bytes()}, v)
			r.VFMADD231PS(v, v, sum)
		}
		r.ADDQ(operand.U32(4*normLanes), p)
		r.DECQ(n)
		r.JNZ(operand.LabelRef(loop))
	}
	for i, m := range r.tail {
		if !m.none {
			v := r.load(m, operand.Mem{Base: r.x, Disp: r.tailAt(i)})
			r.VFMADD231PS(v, v, sums[i])
		}
	}
	return r.root(r.sum(sums))
}

// tailAt is the byte offset of vector i of the tail.
func (r *rmsnorm) tailAt(i int) int { return 4*(r.Width/normLanes*normLanes) + i*r.bytes() }

// sum adds 16 lanes as a tree: j and j+8, then j+4, j+2, j+1.
func (r *rmsnorm) sum(v []reg.VecVirtual) reg.VecVirtual {
	half := r.YMM()
	if len(v) == 2 {
		r.VADDPS(v[1].AsY(), v[0].AsY(), half)
	} else {
		r.VEXTRACTF64X4(operand.Imm(1), v[0], half)
		r.VADDPS(half, v[0].AsY(), half)
	}
	quarter := r.XMM()
	if r.level.lanes == 16 {
		r.VEXTRACTF32X4(operand.Imm(1), half, quarter)
	} else {
		r.VEXTRACTF128(operand.Imm(1), half, quarter)
	}
	r.VADDPS(quarter, half.AsX(), quarter)
	other := r.XMM()
	r.VPERMILPS(operand.Imm(0x0e), quarter, other)
	r.VADDPS(other, quarter, quarter)
	r.VPERMILPS(operand.Imm(0x01), quarter, other)
	r.VADDSS(other, quarter, quarter)
	return quarter
}

// root turns the sum of squares into the scale, each step correctly rounded.
func (r *rmsnorm) root(sum reg.VecVirtual) reg.VecVirtual {
	t, one := sum.AsX(), r.XMM()
	r.VDIVSS(r.float("width"+r.suffix(r.Width), float32(r.Width)), t, t)
	r.VADDSS(r.float("eps"+r.suffix(int(r.EpsBits)), r.Eps()), t, t)
	r.VSQRTSS(t, t, t)
	r.VMOVSS(r.float("one", 1), one)
	r.VDIVSS(t, one, t)
	v := r.vec()
	r.VBROADCASTSS(t, v)
	return v
}

// products writes x·scale·w.
func (r *rmsnorm) products(scale reg.VecVirtual) {
	if whole := r.Width / normLanes; whole > 0 {
		at, end, loop := r.GP64(), uint32(4*normLanes*whole), r.label("products")
		r.XORQ(at, at)
		r.legend("Products of 16 elements a turn.", holds("scale", scale), holds("byte", at))
		r.Label(loop)
		for i := range r.vectors() {
			v := r.vec()
			index := func(base reg.GPVirtual) operand.Mem {
				return operand.Mem{Base: base, Index: at, Scale: 1, Disp: i * r.bytes()}
			}
			r.VMULPS(index(r.x), scale, v)
			if r.Weight {
				r.VMULPS(index(r.w), v, v)
			}
			r.VMOVUPS(v, index(r.y))
		}
		r.ADDQ(operand.U32(4*normLanes), at)
		r.CMPQ(at, operand.U32(end))
		r.JLT(operand.LabelRef(loop))
	}
	for i, m := range r.tail {
		if m.none {
			continue
		}
		v := r.load(m, operand.Mem{Base: r.x, Disp: r.tailAt(i)})
		r.VMULPS(scale, v, v)
		if r.Weight {
			r.VMULPS(r.load(m, operand.Mem{Base: r.w, Disp: r.tailAt(i)}), v, v)
		}
		r.store(m, v, operand.Mem{Base: r.y, Disp: r.tailAt(i)})
	}
}

// suffix is a number as part of a constant's name.
func (r *rmsnorm) suffix(n int) string { return strconv.Itoa(n) }
