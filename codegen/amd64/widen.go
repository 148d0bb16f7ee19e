package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"

	"github.com/mambac/mambac/codegen/kernel"
)

// widener turns packed 16-bit weights into float32. One vector of memory holds
// the pair of columns k, k+1 for as many rows as the level has lanes.
type widener struct {
	a       *asm
	storage kernel.Storage
	// mask keeps the high halves (bf16); index gathers even halves low and
	// odd halves high (f16).
	mask, index reg.VecVirtual
}

func newWidener(a *asm, s kernel.Storage) *widener {
	w := &widener{a: a, storage: s}
	switch {
	case s == kernel.BF16:
		w.mask = a.constantVec(a.constant32("highHalf", 0xffff0000))
	case s == kernel.F16 && a.level.lanes == 16:
		// Words 0, 2, … 30 to the low half, 1, 3, … 31 to the high half.
		w.index = a.constantVec(a.global("evenOdd", func(i int) uint32 {
			n := uint32(4*i) % 32
			if i >= 8 {
				n++
			}
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

// pair widens the columns k (low) and k+1 (high) of one vector of memory.
func (w *widener) pair(m operand.Mem) (low, high reg.VecVirtual) {
	low, high = w.a.vec(), w.a.vec()
	if w.storage == kernel.BF16 {
		w.a.VMOVUPS(m, high)
		w.a.VPSLLD(operand.Imm(16), high, low)
		w.a.and(w.mask, high, high)
		return low, high
	}
	w.halves(m, low, high)
	return low, high
}

// low widens column k alone: the last one of an odd number of columns.
func (w *widener) low(m operand.Mem) reg.VecVirtual {
	low, _ := w.pair(m)
	return low
}

// halves converts IEEE halves, exactly, denormals included.
func (w *widener) halves(m operand.Mem, low, high reg.VecVirtual) {
	a, t := w.a, w.a.vec()
	a.VMOVUPS(m, t)
	if a.level.lanes == 16 {
		a.VPERMW(t, w.index, t)
		a.VCVTPH2PS(t.AsY(), low)
		a.VEXTRACTI64X4(operand.Imm(1), t, t.AsY())
		a.VCVTPH2PS(t.AsY(), high)
		return
	}
	a.VPSHUFB(w.index, t, t)
	a.VPERMQ(operand.Imm(0xd8), t, t)
	a.VCVTPH2PS(t.AsX(), low)
	a.VEXTRACTI128(operand.Imm(1), t, t.AsX())
	a.VCVTPH2PS(t.AsX(), high)
}

// half loads pairs of bf16 and widens the low (0) or the high (1) one of each: for
// those who have no register to keep a mask in.
func (a *asm) half(m operand.Mem, which int) reg.VecVirtual {
	v := a.vec()
	a.VMOVUPS(m, v)
	if which == 0 {
		a.VPSLLD(operand.Imm(16), v, v)
	} else {
		a.andMem(a.constant32("highHalf", 0xffff0000), v, v)
	}
	return v
}

// and is the bitwise and of the level's width.
func (a *asm) and(x, y, z reg.VecVirtual) {
	if a.level.lanes == 16 {
		a.VPANDD(x, y, z)
		return
	}
	a.VPAND(x, y, z)
}

// zero clears a register. avo does not know that VPXORD of a register with
// itself reads nothing, and would keep the register busy before it.
func (a *asm) zero(v reg.VecVirtual) {
	if a.level.lanes < 16 {
		a.VPXOR(v, v, v)
		return
	}
	clear, err := x86.VPXORD(v, v, v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	clear.CancellingInputs = true
	a.Instruction(clear)
}
