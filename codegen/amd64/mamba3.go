package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("mamba3", emitter{
		supports: func(l *Level, s kernel.Spec) bool { return updateFits(l, s.(kernel.Mamba3).Ready().Update()) },
		emit:     func(a *asm, s kernel.Spec) { emitMamba3(a, s.(kernel.Mamba3)) },
	})
}

// emitMamba3 updates the state of one head after the other.
func emitMamba3(a *asm, s kernel.Mamba3) {
	heads, done, loop := a.integer("heads"), a.label("done"), a.label("head")
	a.TESTQ(heads, heads)
	a.JZ(operand.LabelRef(done))
	state, ready, y := a.GP64(), a.GP64(), a.GP64()
	for _, r := range []reg.GPVirtual{state, ready, y} {
		a.XORQ(r, r)
	}
	at := s.Ready()
	row := source{"ready", ready, s.StrideReady}
	u := &update{asm: a, Update: at.Update(), ready: row, keys: row, y: source{"y", y, s.StrideY}, state: state}
	for j := range u.Inputs {
		u.inputs = append(u.inputs, at.Key(j))
	}
	for i := range u.Outputs {
		u.queries = append(u.queries, at.Query(i))
	}
	a.legend("A head a turn.", holds("byte of its states", state), holds("byte of its row", ready), holds("byte of y", y), holds("heads left", heads))
	a.Label(loop)
	u.head()
	for _, m := range []move{{state, u.Rows() * u.States}, {ready, at.Floats()}, {y, s.Rank * s.HeadDim}} {
		a.ADDQ(operand.U32(uint32(4*m.stride)), m.row)
	}
	a.DECQ(heads)
	a.JNZ(operand.LabelRef(loop))
	a.Label(done)
}
