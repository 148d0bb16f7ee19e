package amd64

import (
	"fmt"
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

func init() {
	registerKind("dotgemm", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit: func(a *asm, s kernel.Spec) {
			if d := s.(kernel.DotGemm); d.Storage == kernel.BF16 {
				dotGemmBF16(a, d)
			} else {
				newDotGemm(a, d).emit()
			}
		},
		uses:  func(s kernel.Spec) string { return dotUses(s.(kernel.DotGemm).Storage) },
		tiles: func(l *Level, s kernel.Spec) []target.Tile { return l.dotGemmTiles(s.(kernel.DotGemm)) },
		cost: func(l *Level, s kernel.Spec, t target.Tile, tokens int) float64 {
			return l.dotGemmCost(s.(kernel.DotGemm), t, tokens)
		},
	})
}

// dotGemm multiplies one panel of codes with a run of quantised tokens. Columns
// are taken in blocks: their codes are unpacked, behind each group its scales
// where the words have not taken them in, and stay in the first-level cache while
// all tokens use them. The sums of every token rest in scratch, behind the block.
type dotGemm struct {
	asm *asm
	kernel.DotGemm
	coder  coder
	inputs kernel.QuantisedGroups
	group  int // columns
	// scaled says that behind each group of the block stand its scales.
	scaled bool
	// Moving from block to block: codes, inputs, groups not yet done.
	w, x, groups reg.GPVirtual
	block        reg.GPVirtual // groups of the block
	// Moving from tile to tile: x, sums, tokens not yet done.
	tileX, tileSums, left reg.GPVirtual
	rows                  reg.GPVirtual // byte of the first row of the tile at hand
	ahead, step           reg.GPVirtual // what of the coming codes to ask for
}

// dotSumsAt is where the sums begin in scratch, in bytes.
const dotSumsAt = kernel.PanelRows * (2*kernel.DotBlock + 4*kernel.DotBlock/64)

// pairsBytes is the size of what begins the sums of a group.
const pairsBytes = 2 * panelBytes

// laneUnroll is for how many vectors of every row a tile's loop takes one turn.
const laneUnroll = 4

func newDotGemm(a *asm, s kernel.DotGemm) *dotGemm {
	format, _ := s.Storage.Coded()
	inputs := a.products(s.Storage).groups(s.Storage.QuantisedRow(s.K))
	return &dotGemm{asm: a, DotGemm: s, inputs: inputs, group: format.Inputs, scaled: !format.Multiples}
}

func (g *dotGemm) emit() {
	tokens, done := g.asm.integer("tokens"), g.asm.label("done")
	g.asm.TESTQ(tokens, tokens)
	g.asm.JZ(operand.LabelRef(done))
	g.asm.clearSums(dotSumsAt)
	g.w, g.x = g.asm.pointer("w"), g.asm.pointer("x")
	if g.inputs.At > 0 {
		g.asm.ADDQ(operand.U32(uint32(g.inputs.At)), g.x)
	}
	if start := g.Storage.PanelElements(0); start > 0 { // scales of rows
		g.asm.ADDQ(operand.U32(uint32(start)), g.w)
	}
	loop, whole := g.asm.label("block"), g.asm.label("whole")
	g.groups = g.asm.GP64()
	g.asm.MOVQ(operand.U32(uint32(g.Storage.QuantisedRow(g.K).Groups)), g.groups)
	g.pace()
	g.asm.legend(fmt.Sprintf("%d columns a turn, or what is left.", g.asm.tile.Block), holds("groups left", g.groups), holds("codes", g.w), holds("inputs", g.x))
	g.asm.Label(loop)
	g.block = g.asm.GP64()
	g.asm.MOVQ(g.groups, g.block)
	g.asm.CMPQ(g.groups, operand.U32(uint32(g.perBlock())))
	g.asm.JLT(operand.LabelRef(whole))
	g.asm.MOVQ(operand.U32(uint32(g.perBlock())), g.block)
	g.asm.Label(whole)
	g.unpack()
	g.addBlock()
	g.asm.ADDQ(operand.U32(uint32(g.perBlock()*g.inputs.Size)), g.x)
	g.asm.SUBQ(operand.U32(uint32(g.perBlock())), g.groups)
	g.asm.JGT(operand.LabelRef(loop))
	g.asm.Label(done)
}

// perBlock is the groups of a whole block.
func (g *dotGemm) perBlock() int { return g.asm.tile.Block / g.group }

// finish writes the outputs of the m tokens at hand, if the block is the last:
// while their sums are in the nearest cache, and others' products take the time
// that outputs need to get to theirs. It asks for where the next m go.
func (g *dotGemm) finish(m int) {
	more := g.asm.label("more")
	g.asm.CMPQ(g.groups, operand.U32(uint32(g.perBlock())))
	g.asm.JGT(operand.LabelRef(more))
	y, first := g.asm.pointer("y"), g.asm.integer("tokens")
	e, rows := g.asm.epilogue(g.Epilogue), g.asm.rowScales(g.Storage)
	g.asm.SUBQ(g.left, first)
	g.asm.IMUL3Q(operand.U32(uint32(4*g.StrideY)), first, first)
	g.asm.ADDQ(first, y)
	if e.residual != nil {
		g.asm.ADDQ(first, e.residual)
	}
	n, loop := g.asm.GP64(), g.asm.label("token")
	g.asm.MOVQ(operand.U32(uint32(m)), n)
	g.asm.legend("Outputs of one token a turn.", holds("sums", g.tileSums), holds("outputs", y), holds("tokens left", n))
	g.asm.Label(loop)
	for at := 0; at < panelBytes; at += lineBytes {
		g.asm.PREFETCHT0(operand.Mem{Base: y, Disp: 4*g.StrideY*m + at})
	}
	for at := 0; at < panelBytes; at += g.asm.bytes() {
		v := g.asm.vec()
		g.asm.VMOVUPS(operand.Mem{Base: g.tileSums, Disp: at}, v)
		g.coder.finish(v, operand.Mem{Base: rows, Disp: at})
		e.apply(v, at, 0)
		g.asm.VMOVUPS(v, operand.Mem{Base: y, Disp: at})
	}
	g.asm.ADDQ(operand.U32(panelBytes), g.tileSums)
	g.asm.ADDQ(operand.U32(uint32(4*g.StrideY)), y)
	if e.residual != nil {
		g.asm.ADDQ(operand.U32(uint32(4*g.StrideY)), e.residual)
	}
	g.asm.DECQ(n)
	g.asm.JNZ(operand.LabelRef(loop))
	g.asm.SUBQ(operand.U32(uint32(m*panelBytes)), g.tileSums)
	g.asm.Label(more)
}

// unpack makes of the codes of the block what is multiplied, and float32 of
// their scales, and moves past them.
func (g *dotGemm) unpack() {
	g.coder = newCoder(g.asm, g.Storage)
	to, n := g.asm.pointer("scratch"), g.asm.GP64()
	g.asm.MOVQ(g.block, n)
	g.coder.eachGroup(n, g.w, func(s scales) {
		g.unpackPairs(to, s)
		g.unpackGroup(to, s)
		if !g.scaled {
			return
		}
		for at := 0; at < panelBytes; at += g.asm.bytes() {
			g.asm.VMOVUPS(g.coder.scale(s, at), operand.Mem{Base: to, Disp: at})
		}
		g.asm.ADDQ(operand.U32(panelBytes), to)
	})
}

// unpackPairs stores what the sums of a group begin with besides the inputs.
func (g *dotGemm) unpackPairs(to reg.GPVirtual, s scales) {
	if g.scaled {
		return
	}
	for at := 0; at < panelBytes; at += g.asm.bytes() {
		for i, v := range g.coder.pairs(s, at) {
			g.asm.VMOVUPS(v, operand.Mem{Base: to, Disp: i*panelBytes + at})
		}
	}
	g.asm.ADDQ(operand.U32(pairsBytes), to)
}

// unpackGroup stores the multiples of the columns of every turn, if there are
// any, and behind them what is multiplied.
func (g *dotGemm) unpackGroup(to reg.GPVirtual, s scales) {
	units, multiples := turnUnits(g.Storage), turnMultiples(g.Storage)
	g.asm.eachTurn(g.coder, g.Storage, []role{holds("codes", g.w), holds("unpacked", to)}, func() {
		for at := 0; at < multiples*panelBytes; at += g.asm.bytes() {
			g.asm.VMOVUPS(g.coder.multiple(s, at), operand.Mem{Base: to, Disp: at})
		}
		for u := range units {
			for at := 0; at < panelBytes; at += g.asm.bytes() {
				next := (multiples+u*g.unitLanes())*panelBytes + at
				for lanes := range g.coder.lanes(operand.Mem{Base: g.w, Disp: u*panelBytes + at}, s, at) {
					g.asm.VMOVUPS(lanes, operand.Mem{Base: to, Disp: next})
					next += panelBytes
				}
			}
		}
		g.asm.ADDQ(operand.U32(uint32(units*panelBytes)), g.w)
		g.asm.ADDQ(operand.U32(uint32((multiples+units*g.unitLanes())*panelBytes)), to)
	})
}

// unitLanes is how many vectors become of one of a unit.
func (g *dotGemm) unitLanes() int { return g.Storage.UnitColumns() / g.coder.columns() }

// addBlock adds the block to the sums of all tokens: some tokens, all rows of the
// panel, then the next.
func (g *dotGemm) addBlock() {
	g.ahead, g.tileX = g.asm.GP64(), g.asm.GP64()
	g.asm.MOVQ(g.w, g.ahead)
	g.asm.MOVQ(g.x, g.tileX)
	g.left, g.tileSums = g.asm.integer("tokens"), g.asm.pointer("scratch")
	g.asm.ADDQ(operand.U32(dotSumsAt), g.tileSums)
	list, few := heights(g.asm.tile.Tokens), g.asm.label("few")
	g.asm.CMPQ(g.left, operand.U32(uint32(g.manyTokens())))
	g.asm.JLT(operand.LabelRef(few))
	g.tiles(list[0], askForMany, true)
	g.asm.Label(few)
	for i, m := range list {
		g.tiles(m, askForFew, i == 0)
	}
}

// asking is what a tile asks memory for while it computes.
type asking struct {
	codes  int  // lines of those that come, a turn
	inputs bool // of the next tile
}

// With three lines of codes one tile asks for a block of them. Where there are more of
// the tallest tiles than dotPatience one is enough: to ask takes as long as to load.
// Few tokens have their inputs near.
var (
	askForFew  = asking{codes: 3}
	askForMany = asking{codes: 1, inputs: true}
)

const dotPatience = 8

// manyTokens is from where on the tallest tiles ask as for many.
func (g *dotGemm) manyTokens() int { return dotPatience * g.asm.tile.Tokens }

// pace chooses the step from one turn to the next, with which the tiles of a block ask
// for all of the next one: less for more of them, so that there is no burst of requests.
func (g *dotGemm) pace() {
	const most = 512
	g.step = g.asm.GP64()
	tokens, done, chosen := g.asm.integer("tokens"), g.asm.label("paced"), 0
	for n := 1; n <= most; n *= 2 {
		step := g.stepFor(n)
		if step == chosen {
			continue
		}
		if chosen > 0 {
			g.asm.CMPQ(tokens, operand.U32(uint32(n)))
			g.asm.JLT(operand.LabelRef(done))
		}
		g.asm.MOVQ(operand.U32(uint32(step)), g.step)
		chosen = step
	}
	g.asm.Label(done)
}

// stepFor is the step for some tokens: no line is left out.
func (g *dotGemm) stepFor(tokens int) int {
	a, turns := askForFew, 0
	if tokens >= g.manyTokens() {
		a = askForMany
	}
	perTile := g.asm.tile.Block / (laneUnroll * g.asm.products(g.Storage).columns()) * kernel.PanelRows / g.asm.tile.Rows
	for _, h := range heaps(heights(g.asm.tile.Tokens), tokens) {
		turns += h.count * perTile
	}
	block := g.Storage.PanelElements(g.asm.tile.Block) - g.Storage.PanelElements(0)
	return min((block+turns-1)/turns, a.codes*lineBytes)
}

// tiles runs tiles of m tokens: as many as fit of the tallest, at most one of the
// others.
func (g *dotGemm) tiles(m int, a asking, tallest bool) {
	loop, done := g.asm.label("tile"), g.asm.label("next")
	g.asm.legend(fmt.Sprintf("Tokens, %d at a time.", m), holds("tokens left", g.left), holds("inputs", g.tileX), holds("sums", g.tileSums))
	g.asm.Label(loop)
	g.asm.CMPQ(g.left, operand.U32(uint32(m)))
	g.asm.JLT(operand.LabelRef(done))
	g.allRows(m, a)
	g.finish(m)
	g.asm.ADDQ(operand.U32(uint32(4*m*g.StrideX)), g.tileX)
	g.asm.ADDQ(operand.U32(uint32(m*panelBytes)), g.tileSums)
	g.asm.SUBQ(operand.U32(uint32(m)), g.left)
	if tallest {
		g.asm.JMP(operand.LabelRef(loop))
	}
	g.asm.Label(done)
}

// allRows adds the block to m tokens × all rows: as many at a time as the
// registers hold, so that the inputs come from afar once.
func (g *dotGemm) allRows(m int, a asking) {
	g.rows = g.asm.GP64()
	g.asm.XORQ(g.rows, g.rows)
	loop, each := g.asm.label("rows"), operand.U32(uint32(4*g.asm.tile.Rows))
	g.asm.Label(loop)
	g.tile(m, a)
	if g.asm.tile.Rows == kernel.PanelRows {
		return
	}
	g.asm.ADDQ(each, g.tileSums)
	g.asm.ADDQ(each, g.rows)
	g.asm.CMPQ(g.rows, operand.U32(panelBytes))
	g.asm.JLT(operand.LabelRef(loop))
	g.asm.SUBQ(operand.U32(panelBytes), g.tileSums)
}

// tile adds the groups of the block to m tokens × the tile's rows.
func (g *dotGemm) tile(m int, a asking) {
	w, x := g.asm.pointer("scratch"), g.asm.GP64()
	g.asm.ADDQ(g.rows, w)
	g.asm.MOVQ(g.tileX, x)
	n, loop := g.asm.GP64(), g.asm.label("group")
	g.asm.MOVQ(g.block, n)
	g.asm.Label(loop)
	acc := make([][]reg.VecVirtual, m)
	for t := range acc {
		acc[t] = g.asm.vecs(g.asm.tile.Rows / g.asm.level.lanes)
		if a.inputs {
			g.askInputs(m+t, x)
		}
		g.coder.begin(acc[t], operand.Mem{Base: x, Disp: 4 * t * g.StrideX}, func(i int) [2]operand.Op {
			return [2]operand.Op{operand.Mem{Base: w, Disp: i * g.asm.bytes()}, operand.Mem{Base: w, Disp: panelBytes + i*g.asm.bytes()}}
		})
	}
	if !g.scaled {
		g.asm.ADDQ(operand.U32(pairsBytes), w)
	}
	g.products(acc, w, x, a)
	numbers := 4 * g.group / g.coder.columns() // bytes that x has moved
	g.flush(acc, w, x, g.inputs.Scale-numbers)
	if g.scaled {
		g.asm.ADDQ(operand.U32(panelBytes), w)
	}
	g.asm.ADDQ(operand.U32(uint32(g.inputs.Size-numbers)), x)
	g.asm.DECQ(n)
	g.asm.JNZ(operand.LabelRef(loop))
}

// askInputs asks for a line of a token's group: it begins as many bytes in as the
// rows at hand do, so that tiles of some rows have asked in the end for all that is
// read of the group.
func (g *dotGemm) askInputs(t int, x reg.GPVirtual) {
	g.asm.PREFETCHT0(operand.Mem{Base: x, Index: g.rows, Scale: 1, Disp: 4 * t * g.StrideX})
}

// products is the inner loop over the columns of a group: the tile's weights
// once, one input and a row of products per token. It leaves w at the end of the
// unpacked group, and x at that of its numbers.
func (g *dotGemm) products(acc [][]reg.VecVirtual, w, x reg.GPVirtual, a asking) {
	n, loop := g.asm.GP64(), g.asm.label("columns")
	turn := laneUnroll * g.coder.columns()
	g.asm.MOVQ(operand.U32(uint32(g.group/turn)), n)
	g.asm.legend(fmt.Sprintf("%d columns a turn.", turn), holds("sums", slices.Concat(acc...)...), holds("weights", w), holds("inputs", x), holds("turns left", n))
	g.asm.Label(loop)
	for i := range a.codes {
		g.asm.PREFETCHT1(operand.Mem{Base: g.ahead, Disp: i * lineBytes})
	}
	g.asm.ADDQ(g.step, g.ahead)
	multiples, at := g.multiples(acc, w), turnMultiples(g.Storage)*panelBytes
	for u := range laneUnroll {
		weights := g.asm.vecs(len(acc[0]))
		for i, v := range weights {
			g.asm.VMOVUPS(operand.Mem{Base: w, Disp: at + u*panelBytes + i*g.asm.bytes()}, v)
		}
		for t := range acc {
			in := g.coder.input(operand.Mem{Base: x, Disp: 4*u + 4*t*g.StrideX})
			g.coder.add(weights, in, multiples, acc[t])
		}
	}
	g.asm.ADDQ(operand.U32(uint32(at+laneUnroll*panelBytes)), w)
	g.asm.ADDQ(operand.U32(4*laneUnroll), x)
	g.asm.DECQ(n)
	g.asm.JNZ(operand.LabelRef(loop))
}

// multiples is those of the columns of a turn: in registers where there are
// enough, else in memory.
func (g *dotGemm) multiples(acc [][]reg.VecVirtual, w reg.GPVirtual) []operand.Op {
	rows := len(acc[0])
	list := make([]operand.Op, rows)
	if turnMultiples(g.Storage) == 0 {
		return list
	}
	for i := range list {
		m := operand.Mem{Base: w, Disp: i * g.asm.bytes()}
		if list[i] = m; (len(acc)+2)*rows+2 <= g.asm.level.registers {
			list[i] = g.asm.constantVec(m)
		}
	}
	return list
}

// flush adds the whole numbers of a group, times their scales, to the sums; that
// of the inputs is some bytes behind x.
func (g *dotGemm) flush(acc [][]reg.VecVirtual, w, x reg.GPVirtual, scale int) {
	for t := range acc {
		scaleX := g.asm.broadcast(x, scale+4*t*g.StrideX)
		for i, v := range acc[t] {
			at := i * g.asm.bytes()
			factor, sum := scaleX, operand.Mem{Base: g.tileSums, Disp: t*panelBytes + at}
			if g.scaled {
				factor = g.asm.vec()
				g.asm.VMULPS(operand.Mem{Base: w, Disp: at}, scaleX, factor)
			}
			g.asm.VCVTDQ2PS(v, v)
			g.asm.VFMADD213PS(sum, factor, v)
			g.asm.VMOVUPS(v, sum)
		}
	}
}
