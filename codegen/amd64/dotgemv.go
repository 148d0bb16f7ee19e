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
	coder   coder
	inputs  kernel.QuantisedGroups
	w, sums reg.GPVirtual
	rows    reg.GPVirtual // scales of the panel's rows
	x       reg.GPVirtual // moving from group to group
	acc     []reg.VecVirtual
}

func newDotGemv(a *asm, s kernel.DotGemv) *dotGemv {
	return &dotGemv{asm: a, DotGemv: s, inputs: a.products(s.Storage).groups(s.Storage.QuantisedRow(s.K))}
}

func (g *dotGemv) emit() {
	y, panels := g.asm.pointer("y"), g.asm.integer("panels")
	g.w, g.sums = g.asm.pointer("w"), g.asm.pointer("scratch")
	base := g.asm.pointer("x")
	if g.inputs.At > 0 {
		g.asm.ADDQ(operand.U32(uint32(g.inputs.At)), base)
	}
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
	g.rows = g.asm.GP64()
	g.coder.open(g.w, g.rows)
	g.groups()
	for at := 0; at < panelBytes; at += g.asm.bytes() {
		v := g.asm.vec()
		g.asm.VMOVUPS(operand.Mem{Base: g.sums, Disp: at}, v)
		g.coder.finish(v, operand.Mem{Base: g.rows, Disp: at})
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

// groups walks the groups of columns.
func (g *dotGemv) groups() {
	n := g.asm.GP64()
	g.asm.MOVQ(operand.U32(uint32(g.Storage.QuantisedRow(g.K).Groups)), n)
	g.coder.eachGroup(n, g.w, func(s scales) {
		g.products(s)
		g.flush(s)
		g.asm.ADDQ(operand.U32(uint32(g.inputs.Size)), g.x)
	})
}

// products sums the products of a group, in whole numbers.
func (g *dotGemv) products(s scales) {
	g.acc = g.asm.vecs(kernel.PanelRows / g.asm.level.lanes)
	g.coder.begin(g.acc, operand.Mem{Base: g.x}, func(i int) [2]operand.Op { return g.coder.pairs(s, i*g.asm.bytes()) })
	numbers, units := g.asm.GP64(), turnUnits(g.Storage)
	g.asm.MOVQ(g.x, numbers)
	roles := []role{holds("sums", g.acc...), holds("codes", g.w), holds("numbers", numbers)}
	g.asm.eachTurn(g.coder, g.Storage, roles, func() {
		each := 1 // of units that lie side by side in registers
		if turnMultiples(g.Storage) > 0 {
			each = units
		}
		for u := 0; u < units; u += each {
			g.units(u, each, numbers, s)
		}
		g.asm.ADDQ(operand.U32(uint32(units*panelBytes)), g.w)
		g.asm.ADDQ(operand.U32(uint32(4*turnColumns/g.coder.columns())), numbers)
	})
}

// units adds the columns of n units, which share their multiples.
func (g *dotGemv) units(first, n int, numbers reg.GPVirtual, s scales) {
	each := g.Storage.UnitColumns() / g.coder.columns()
	inputs := make([]operand.Op, n*each)
	for i := range inputs {
		inputs[i] = g.coder.input(operand.Mem{Base: numbers, Disp: 4 * (first*each + i)})
	}
	for i, acc := range g.acc {
		at, k, multiple := i*g.asm.bytes(), 0, g.coder.multiple(s, i*g.asm.bytes())
		for u := range n {
			for lanes := range g.coder.lanes(operand.Mem{Base: g.w, Disp: (first+u)*panelBytes + at}, s, at) {
				g.coder.add([]reg.VecVirtual{lanes}, inputs[k], []operand.Op{multiple}, []reg.VecVirtual{acc})
				k++
			}
		}
	}
}

// flush adds the sums of a group, times their scales, to those of the panel.
func (g *dotGemv) flush(s scales) {
	x := g.asm.broadcast(g.x, g.inputs.Scale)
	for i, acc := range g.acc {
		at, factor := i*g.asm.bytes(), x
		if scale := g.coder.scale(s, at); scale != nil {
			factor = scale
			g.asm.VMULPS(x, scale, factor)
		}
		g.asm.VCVTDQ2PS(acc, acc)
		sum := operand.Mem{Base: g.sums, Disp: at}
		g.asm.VFMADD213PS(sum, factor, acc)
		g.asm.VMOVUPS(acc, sum)
	}
}
