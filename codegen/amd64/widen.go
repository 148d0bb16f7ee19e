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
	// mask keeps the high halves (bf16); index gathers a column's rows where a
	// register has more of them than lie side by side (f16).
	mask, index reg.VecVirtual
}

func newWidener(a *asm, s kernel.Storage) *widener {
	w := &widener{a: a, storage: s}
	switch {
	case s == kernel.BF16:
		w.mask = a.constantVec(a.constant32("highHalf", 0xffff0000))
	case s == kernel.F16 && a.level.lanes == 16:
		// Words 0 … 7 and 16 … 23 to the low half, the others to the high half.
		w.index = a.constantVec(a.global("halvesOfColumns", func(i int) uint32 {
			n := uint32(2*(i%4) + 16*(i%8/4) + 8*(i/8))
			return n | (n+1)<<16
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
	if w.index != nil {
		w.halves(m, low, high)
		return low, high
	}
	for i, v := range []reg.VecVirtual{low, high} {
		w.a.VCVTPH2PS(w.a.column(m, i), v)
	}
	return low, high
}

// low widens column k alone: the last one of an odd number of columns.
func (w *widener) low(m operand.Mem) reg.VecVirtual {
	low, _ := w.pair(m)
	return low
}

// halves converts IEEE halves that a column has in two places.
func (w *widener) halves(m operand.Mem, low, high reg.VecVirtual) {
	a, t := w.a, w.a.vec()
	a.VMOVUPS(m, t)
	a.widenHalves(t, w.index, low, high)
}

// widenHalves converts 32 halves, those that the index puts first to low, the others
// to high. They are lost.
func (a *asm) widenHalves(halves, index, low, high reg.VecVirtual) {
	a.VPERMW(halves, index, halves)
	a.VCVTPH2PS(halves.AsY(), low)
	a.VEXTRACTI64X4(operand.Imm(1), halves, halves.AsY())
	a.VCVTPH2PS(halves.AsY(), high)
}

// widensInPlace reports whether inPlace widens a storage.
func (l *Level) widensInPlace(s kernel.Storage) bool {
	return s == kernel.BF16 || s == kernel.F16 && l.lanes == kernel.RowsTogether
}

// column is where the rows of column k (0) or k+1 (1) of a pair of f16 lie.
func (a *asm) column(m operand.Mem, which int) operand.Mem {
	m.Disp += which * 2 * kernel.RowsTogether
	return m
}

// inPlace widens column k (0) or k+1 (1) alone, with no register to keep a mask in.
func (a *asm) inPlace(s kernel.Storage, m operand.Mem, which int) reg.VecVirtual {
	if s == kernel.BF16 {
		return a.half(m, which)
	}
	v := a.vec()
	a.VCVTPH2PS(a.column(m, which), v)
	return v
}

// half widens the low (0) or the high (1) one of each pair of bf16.
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
