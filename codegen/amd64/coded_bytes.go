package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// inBytes multiplies codes as they are with numbers of 8 bits, a quad of columns
// in a lane: one instruction multiplies unsigned with signed bytes and adds all
// four products to the sums. It takes its signed bytes from memory, the same
// four for all lanes, so that they need no register.
type inBytes struct{ a *asm }

func (inBytes) columns() int { return 4 }

func (inBytes) groups(r kernel.QuantisedRow) kernel.QuantisedGroups { return r.Bytes }

func (inBytes) input(m operand.Mem) operand.Op { return m }

func (b inBytes) add(lanes []reg.VecVirtual, input operand.Op, _ []operand.Op, sums []reg.VecVirtual) {
	for i, v := range lanes {
		b.a.VPDPBUSD_BCST(input, v, sums[i])
	}
}
