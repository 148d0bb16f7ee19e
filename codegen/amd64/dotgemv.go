package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("dotgemv", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit: func(a *asm, s kernel.Spec) {
			if d := s.(kernel.DotGemv); d.Storage == kernel.BF16 {
				dotGemvBF16(a, d)
			} else {
				newDotGemv(a, d).emit()
			}
		},
		uses: func(s kernel.Spec) string { return dotUses(s.(kernel.DotGemv).Storage) },
	})
}

// dotGemv streams the codes of a run of panels: one accumulator of whole
// numbers per vector of rows, which at the end of a group of columns is added to
// the sums of the panel in scratch.
type dotGemv struct {
	asm *asm
	kernel.DotGemv
	coder   *coder
	row     kernel.QuantisedRow
	w, sums reg.GPVirtual
	x       reg.GPVirtual // moving from group to group
	acc     []reg.VecVirtual
}

// dotUnroll is the number of quads of columns of one turn of the loop.
const dotUnroll = 4

func newDotGemv(a *asm, s kernel.DotGemv) *dotGemv {
	return &dotGemv{asm: a, DotGemv: s, row: s.Storage.QuantisedRow(s.K)}
}

func (g *dotGemv) emit() {
	y, panels := g.asm.pointer("y"), g.asm.integer("panels")
	g.w, g.sums = g.asm.pointer("w"), g.asm.pointer("scratch")
	base := g.asm.pointer("x")
	epilogue := g.asm.epilogue(g.Epilogue)
	g.coder = newCoder(g.asm, g.Storage)
	g.x = g.asm.GP64()
	g.asm.TESTQ(panels, panels)
	done, panel := g.asm.label("done"), g.asm.label("panel")
	g.asm.JZ(operand.LabelRef(done))
	g.asm.legend("One panel of 48 rows a turn.", holds("panels left", panels), holds("outputs", y), holds("codes", g.w), holds("sums", g.sums))
	g.asm.Label(panel)
	g.asm.MOVQ(base, g.x)
	g.clear()
	g.groups()
	for at := 0; at < panelBytes; at += g.asm.bytes() {
		v := g.asm.vec()
		g.asm.VMOVUPS(operand.Mem{Base: g.sums, Disp: at}, v)
		epilogue.apply(v, at, 0)
		g.asm.VMOVUPS(v, operand.Mem{Base: y, Disp: at})
	}
	g.asm.ADDQ(operand.U32(panelBytes), y)
	epilogue.nextPanel()
	g.asm.DECQ(panels)
	g.asm.JNZ(operand.LabelRef(panel))
	g.asm.Label(done)
}

// clear begins the sums of a panel.
func (g *dotGemv) clear() {
	zero := g.asm.vec()
	g.asm.zero(zero)
	for at := 0; at < panelBytes; at += g.asm.bytes() {
		g.asm.VMOVUPS(zero, operand.Mem{Base: g.sums, Disp: at})
	}
}

// groups walks the groups of columns, two behind each unit of scales.
func (g *dotGemv) groups() {
	n := g.asm.GP64()
	g.asm.MOVQ(operand.U32(uint32(g.row.Groups)), n)
	g.asm.eachPair(n, g.w, func(scales reg.GPVirtual, second int) {
		g.products()
		g.flush(scales, second)
		g.asm.ADDQ(operand.U32(uint32(g.row.GroupBytes)), g.x)
	})
}

// eachPair emits a loop over n groups of codes at w: group for the first and the
// second of a pair, with w at its codes and the pair's scales before them; the
// last pair may lack its second.
func (a *asm) eachPair(n, w reg.GPVirtual, group func(scales reg.GPVirtual, second int)) {
	scales, loop, done := a.GP64(), a.label("pair"), a.label("groups")
	a.legend("Two groups of columns a turn: their scales come first.", holds("groups left", n))
	a.Label(loop)
	a.MOVQ(w, scales)
	a.ADDQ(operand.U32(panelBytes), w)
	group(scales, 0)
	a.DECQ(n)
	a.JZ(operand.LabelRef(done))
	group(scales, 1)
	a.DECQ(n)
	a.JNZ(operand.LabelRef(loop))
	a.Label(done)
}

// products sums the products of a group, in whole numbers.
func (g *dotGemv) products() {
	g.acc = g.asm.vecs(kernel.PanelRows / g.asm.level.lanes)
	for _, acc := range g.acc {
		g.asm.VPBROADCASTD(operand.Mem{Base: g.x, Disp: g.row.Zero}, acc)
	}
	units := dotUnroll * 4 / g.Storage.UnitColumns()
	numbers, n, loop := g.asm.GP64(), g.asm.GP64(), g.asm.label("quads")
	from, to := g.coder.numbers(g.row)
	turn := 4 * 4 * dotUnroll / g.coder.columns()
	g.asm.LEAQ(operand.Mem{Base: g.x, Disp: from}, numbers)
	g.asm.MOVQ(operand.U32(uint32((to-from)/turn)), n)
	g.asm.legend("Four quads of columns a turn.", holds("sums", g.acc...), holds("codes", g.w), holds("numbers", numbers), holds("turns left", n))
	g.asm.Label(loop)
	for u := range units {
		g.unit(u, numbers)
	}
	g.asm.ADDQ(operand.U32(uint32(units*panelBytes)), g.w)
	g.asm.ADDQ(operand.U32(uint32(turn)), numbers)
	g.asm.DECQ(n)
	g.asm.JNZ(operand.LabelRef(loop))
}

// unit adds the columns of one unit.
func (g *dotGemv) unit(u int, numbers reg.GPVirtual) {
	inputs := make([]operand.Op, g.Storage.UnitColumns()/g.coder.columns())
	for i := range inputs {
		inputs[i] = g.coder.input(operand.Mem{Base: numbers, Disp: 4 * (u*len(inputs) + i)})
	}
	for i, acc := range g.acc {
		n := 0
		for _, quads := range g.coder.quads(operand.Mem{Base: g.w, Disp: u*panelBytes + i*g.asm.bytes()}) {
			for _, lanes := range g.coder.lanes(quads) {
				g.coder.add(lanes, inputs[n], acc)
				n++
			}
		}
	}
}

// flush adds the sums of a group, the first or the second of its pair, times
// both scales, to those of the panel.
func (g *dotGemv) flush(scales reg.GPVirtual, second int) {
	x := g.asm.broadcast(g.x, g.row.Scale)
	for i, acc := range g.acc {
		at := i * g.asm.bytes()
		scale := g.coder.scale(operand.Mem{Base: scales, Disp: at}, second)
		g.asm.VMULPS(x, scale, scale)
		g.asm.VCVTDQ2PS(acc, acc)
		sum := operand.Mem{Base: g.sums, Disp: at}
		g.asm.VFMADD213PS(sum, scale, acc)
		g.asm.VMOVUPS(acc, sum)
	}
}
