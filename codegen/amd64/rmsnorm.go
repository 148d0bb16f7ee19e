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
	asm *asm
	kernel.RMSNorm
	x, y, w reg.GPVirtual
	tail    []tailMask
}

func (r *rmsnorm) emit() {
	r.y, r.x = r.asm.pointer("y"), r.asm.pointer("x")
	if r.Weight {
		r.w = r.asm.pointer("w")
	}
	tokens := r.asm.integer("tokens")
	done, loop := r.asm.label("done"), r.asm.label("token")
	r.asm.TESTQ(tokens, tokens)
	r.asm.JZ(operand.LabelRef(done))
	// The elements past the last whole 16.
	r.tail = r.asm.tail(r.Width%normLanes, r.vectors())
	r.asm.legend("One token a turn.", holds("inputs", r.x), holds("outputs", r.y), holds("tokens left", tokens))
	r.asm.Label(loop)
	r.products(r.scale())
	r.asm.ADDQ(operand.U32(uint32(4*r.StrideX)), r.x)
	r.asm.ADDQ(operand.U32(uint32(4*r.StrideY)), r.y)
	r.asm.DECQ(tokens)
	r.asm.JNZ(operand.LabelRef(loop))
	r.asm.Label(done)
}

// vectors is the number of registers that 16 lanes take.
func (r *rmsnorm) vectors() int { return normLanes / r.asm.level.lanes }

// scale is 1/√(mean(x²)+eps) in all lanes.
func (r *rmsnorm) scale() reg.VecVirtual {
	sums := r.asm.vecs(r.vectors())
	for _, v := range sums {
		r.asm.zero(v)
	}
	if whole := r.Width / normLanes; whole > 0 {
		p, n, loop := r.asm.GP64(), r.asm.GP64(), r.asm.label("squares")
		r.asm.MOVQ(r.x, p)
		r.asm.MOVQ(operand.U32(uint32(whole)), n)
		r.asm.legend("Squares of 16 elements a turn.", holds("sums", sums...), holds("inputs", p), holds("turns left", n))
		r.asm.Label(loop)
		for i, sum := range sums {
			v := r.asm.vec()
			r.asm.VMOVUPS(operand.Mem{Base: p, Disp: i * r.asm.bytes()}, v)
			r.asm.VFMADD231PS(v, v, sum)
		}
		r.asm.ADDQ(operand.U32(4*normLanes), p)
		r.asm.DECQ(n)
		r.asm.JNZ(operand.LabelRef(loop))
	}
	for i, m := range r.tail {
		if !m.none {
			v := r.asm.load(m, operand.Mem{Base: r.x, Disp: r.tailAt(i)})
			r.asm.VFMADD231PS(v, v, sums[i])
		}
	}
	return r.root(r.asm.sumLanes(sums))
}

// tailAt is the byte offset of vector i of the tail.
func (r *rmsnorm) tailAt(i int) int { return 4*(r.Width/normLanes*normLanes) + i*r.asm.bytes() }

// root turns the sum of squares into the scale, each step correctly rounded.
func (r *rmsnorm) root(sum reg.VecVirtual) reg.VecVirtual {
	t, one := sum.AsX(), r.asm.XMM()
	r.asm.VDIVSS(r.asm.float("width"+r.suffix(r.Width), float32(r.Width)), t, t)
	r.asm.VADDSS(r.asm.float("eps"+r.suffix(int(r.EpsBits)), r.Eps()), t, t)
	r.asm.VSQRTSS(t, t, t)
	r.asm.VMOVSS(r.asm.float("one", 1), one)
	r.asm.VDIVSS(t, one, t)
	v := r.asm.vec()
	r.asm.VBROADCASTSS(t, v)
	return v
}

// products writes x·scale·w.
func (r *rmsnorm) products(scale reg.VecVirtual) {
	if whole := r.Width / normLanes; whole > 0 {
		at, end, loop := r.asm.GP64(), uint32(4*normLanes*whole), r.asm.label("products")
		r.asm.XORQ(at, at)
		r.asm.legend("Products of 16 elements a turn.", holds("scale", scale), holds("byte", at))
		r.asm.Label(loop)
		for i := range r.vectors() {
			v := r.asm.vec()
			index := func(base reg.GPVirtual) operand.Mem {
				return operand.Mem{Base: base, Index: at, Scale: 1, Disp: i * r.asm.bytes()}
			}
			r.asm.VMULPS(index(r.x), scale, v)
			if r.Weight {
				r.asm.VMULPS(index(r.w), v, v)
			}
			r.asm.VMOVUPS(v, index(r.y))
		}
		r.asm.ADDQ(operand.U32(4*normLanes), at)
		r.asm.CMPQ(at, operand.U32(end))
		r.asm.JLT(operand.LabelRef(loop))
	}
	for i, m := range r.tail {
		if m.none {
			continue
		}
		v := r.asm.load(m, operand.Mem{Base: r.x, Disp: r.tailAt(i)})
		r.asm.VMULPS(scale, v, v)
		if r.Weight {
			r.asm.VMULPS(r.asm.load(m, operand.Mem{Base: r.w, Disp: r.tailAt(i)}), v, v)
		}
		r.asm.store(m, v, operand.Mem{Base: r.y, Disp: r.tailAt(i)})
	}
}

// suffix is a number as part of a constant's name.
func (r *rmsnorm) suffix(n int) string { return strconv.Itoa(n) }
