package amd64

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("gemv", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit:     func(a *asm, s kernel.Spec) { newGemv(a, s.(kernel.Gemv)).emit() },
	})
}

// panelBytes is one column of a float32 panel, or one column pair of a 16-bit
// one: three cache lines.
const panelBytes = 4 * kernel.PanelRows

// gemvUnroll is the number of such columns of one turn of the loop.
const gemvUnroll = 8

// unitsAhead is how far ahead 16 bits are asked for, where registers have 8 lanes.
const unitsAhead = 5

// gemv streams the weights of a run of panels: one accumulator per vector of
// rows, the input broadcast. The hardware follows the one stream of float32 better
// without being asked for lines ahead. Of 16 bits a processor has to look at three
// times as many instructions for a line, and sees too few lines at once.
type gemv struct {
	asm *asm
	kernel.Gemv
	w, x    reg.GPVirtual
	acc     []reg.VecVirtual
	widener *widener
	coder   coder // of codes
	// inputs is where x begins in its argument, in bytes; multiplyAdd adds a
	// column of float32 to sums, or what lies in its place.
	inputs      int
	multiplyAdd func(...operand.Op)
}

func newGemv(a *asm, s kernel.Gemv) *gemv {
	return &gemv{asm: a, Gemv: s, multiplyAdd: a.VFMADD231PS}
}

func (g *gemv) emit() {
	y, panels := g.asm.pointer("y"), g.asm.integer("panels")
	g.w = g.asm.pointer("w")
	base := g.asm.pointer("x")
	if g.inputs > 0 {
		g.asm.ADDQ(operand.U32(uint32(g.inputs)), base)
	}
	g.x = g.asm.GP64()
	epilogue := g.asm.epilogue(g.Epilogue)
	g.acc = g.asm.vecs(kernel.PanelRows / g.asm.level.lanes)
	if _, coded := g.Storage.Coded(); coded {
		g.coder = newExactCoder(g.asm, g.Storage)
	} else if g.Storage != kernel.F32 {
		g.widener = newWidener(g.asm, g.Storage)
	}
	g.asm.TESTQ(panels, panels)
	done, panel := g.asm.label("done"), g.asm.label("panel")
	g.asm.JZ(operand.LabelRef(done))
	g.asm.legend("One panel of 48 rows a turn.", holds("panels left", panels), holds("outputs", y), holds("weights", g.w))
	g.asm.Label(panel)
	g.asm.MOVQ(base, g.x)
	for _, v := range g.acc {
		g.asm.zero(v)
	}
	g.columns()
	for i, v := range g.acc {
		epilogue.apply(v, i*g.asm.bytes(), 0)
		g.asm.VMOVUPS(v, operand.Mem{Base: y, Disp: i * g.asm.bytes()})
	}
	g.asm.ADDQ(operand.U32(panelBytes), y)
	epilogue.nextPanel()
	g.asm.DECQ(panels)
	g.asm.JNZ(operand.LabelRef(panel))
	g.asm.Label(done)
}

// columns walks K: whole turns of the loop, then what is left.
func (g *gemv) columns() {
	if g.coder != nil {
		g.codes()
		return
	}
	units, odd := g.K, 0
	if g.Storage != kernel.F32 {
		units, odd = g.K/2, g.K%2
	}
	if turns := units / gemvUnroll; turns > 0 {
		n, loop := g.asm.GP64(), g.asm.label("columns")
		g.asm.MOVQ(operand.U32(uint32(turns)), n)
		g.asm.legend(g.turn(), holds("sums", g.acc...), holds("inputs", g.x), holds("turns left", n))
		g.asm.Label(loop)
		for u := range gemvUnroll {
			g.unit(u, false)
		}
		g.advance(gemvUnroll)
		g.asm.DECQ(n)
		g.asm.JNZ(operand.LabelRef(loop))
	}
	rest := units % gemvUnroll
	for u := range rest {
		g.unit(u, false)
	}
	if odd > 0 {
		g.unit(rest, true)
	}
	if rest+odd > 0 {
		g.advance(rest + odd)
	}
}

// turn says what the loop over columns does.
func (g *gemv) turn() string {
	if g.Storage == kernel.F32 {
		return fmt.Sprintf("%d columns a turn.", gemvUnroll)
	}
	return fmt.Sprintf("%d pairs of columns a turn: low half, then high half.", gemvUnroll)
}

// advance moves past n units of weights, and of the input.
func (g *gemv) advance(n int) {
	g.asm.ADDQ(operand.U32(uint32(n*panelBytes)), g.w)
	columns := n
	if g.Storage != kernel.F32 {
		columns *= 2
	}
	g.asm.ADDQ(operand.U32(uint32(4*columns)), g.x)
}

// unit adds one column, or one pair of columns of which the last may be
// padding.
func (g *gemv) unit(u int, odd bool) {
	if g.Storage == kernel.F32 {
		x := g.asm.broadcast(g.x, 4*u)
		for i, acc := range g.acc {
			g.multiplyAdd(g.weights(u, i), x, acc)
		}
		return
	}
	x0 := g.asm.broadcast(g.x, 8*u)
	if odd {
		for i, acc := range g.acc {
			g.asm.VFMADD231PS(g.widener.low(g.weights(u, i)), x0, acc)
		}
		return
	}
	if g.asm.level.lanes == 8 {
		g.ask(u + unitsAhead)
	}
	x1 := g.asm.broadcast(g.x, 8*u+4)
	for i, acc := range g.acc {
		low, high := g.widener.pair(g.weights(u, i))
		g.asm.VFMADD231PS(low, x0, acc)
		g.asm.VFMADD231PS(high, x1, acc)
	}
}

// ask asks for the lines of a unit to come.
func (g *gemv) ask(u int) {
	for at := 0; at < panelBytes; at += lineBytes {
		g.asm.PREFETCHT0(operand.Mem{Base: g.w, Disp: u*panelBytes + at})
	}
}

func (g *gemv) weights(u, i int) operand.Mem {
	return operand.Mem{Base: g.w, Disp: u*panelBytes + i*g.asm.bytes()}
}

// broadcast loads one float32 into all lanes.
func (a *asm) broadcast(base reg.Register, disp int) reg.VecVirtual {
	v := a.vec()
	a.VBROADCASTSS(operand.Mem{Base: base, Disp: disp}, v)
	return v
}
