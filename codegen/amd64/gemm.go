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
	registerKind("gemm", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit:     func(a *asm, s kernel.Spec) { newGemm(a, s.(kernel.Gemm)).emit() },
		tiles:    func(l *Level, s kernel.Spec) []target.Tile { return l.gemmTiles(s.(kernel.Gemm)) },
		cost: func(l *Level, s kernel.Spec, t target.Tile, tokens int) float64 {
			return l.gemmCost(s.(kernel.Gemm), t, tokens)
		},
	})
}

// gemmUnroll is the number of columns of one turn of a tile's inner loop.
const gemmUnroll = 4

// restingSumsAt is where sums rest in scratch, in bytes.
const restingSumsAt = kernel.KBlock * panelBytes

// lineBytes is a line of every cache.
const lineBytes = 64

// gemm multiplies one panel with a run of tokens. K is cut into blocks whose
// weights stay in the first-level cache while every tile of tokens uses them;
// between blocks the sums of a token rest in scratch, 48 floats each, behind
// the widened weights.
type gemm struct {
	asm *asm
	kernel.Gemm
	tile target.Tile
	// Start of what the block at hand uses: its columns of x, its weights as
	// float32, the bias.
	x, w reg.GPVirtual
	bias reg.GPVirtual
	// Weights to ask for next, and how many bytes further a turn asks.
	ahead, step reg.GPVirtual
	// Moving from tile to tile: rows of x, y, residual and resting sums.
	tileX, tileY, tileR, tileS reg.GPVirtual
	left                       reg.GPVirtual // tokens not yet done
	// inputs is where x begins in its argument, in bytes; multiplyAdd adds a
	// column of float32 to sums, or what lies in its place.
	inputs      int
	multiplyAdd func(...operand.Op)
	// inPlace: 16 bits are widened where they are multiplied, by every tile again.
	inPlace bool
}

// fewTokens is for how many tokens the tiles together widen a weight faster than
// one pass over the block before them, which stores and loads it again. For fewer
// of float32, lower tiles read the panel faster than the tallest do.
const fewTokens = 16

func newGemm(a *asm, s kernel.Gemm) *gemm {
	return &gemm{asm: a, Gemm: s, tile: a.tile, multiplyAdd: a.VFMADD231PS}
}

// block says what a run over all tiles does with the accumulators: those of an
// only block start from zero, all others from sums that rest; the last finishes
// with the epilogue.
type block struct {
	columns    int
	only, last bool
}

func (g *gemm) emit() {
	tokens, done := g.asm.integer("tokens"), g.asm.label("done")
	g.asm.TESTQ(tokens, tokens)
	g.asm.JZ(operand.LabelRef(done))
	g.x, g.w = g.asm.pointer("x"), g.asm.pointer("w")
	if start := g.Storage.PanelElements(0); start > 0 { // scales of rows
		g.asm.ADDQ(operand.U32(uint32(start*g.Storage.ElementBytes())), g.w)
	}
	if g.inputs > 0 {
		g.asm.ADDQ(operand.U32(uint32(g.inputs)), g.x)
	}
	if g.asm.level.widensInPlace(g.Storage) {
		many := g.asm.label("many")
		g.asm.CMPQ(tokens, operand.U32(fewTokens))
		g.asm.JGT(operand.LabelRef(many))
		g.inPlace = true
		g.blocks()
		g.inPlace = false
		g.asm.JMP(operand.LabelRef(done))
		g.asm.Label(many)
	}
	g.blocks()
	g.asm.Label(done)
}

// blocks walks K.
func (g *gemm) blocks() {
	g.pace()
	full, rest := wholeBlocks(g.K, g.tile.Block)
	if full > 0 {
		g.asm.clearSums(restingSumsAt)
		n, loop := g.asm.GP64(), g.asm.label("block")
		g.asm.MOVQ(operand.U32(uint32(full)), n)
		g.asm.legend("The blocks before the last.", holds("blocks left", n))
		g.asm.Label(loop)
		g.block(block{columns: g.tile.Block})
		g.asm.DECQ(n)
		g.asm.JNZ(operand.LabelRef(loop))
	}
	g.block(block{columns: rest, only: full == 0, last: true})
}

// block runs all tiles of tokens over one block of columns and moves on.
func (g *gemm) block(b block) {
	weights := g.w
	if g.Storage != kernel.F32 && !g.inPlace {
		weights = g.widen(b.columns)
	}
	g.tileX, g.ahead, g.left = g.asm.GP64(), g.asm.GP64(), g.asm.integer("tokens")
	g.asm.MOVQ(g.x, g.tileX)
	g.asm.LEAQ(operand.Mem{Base: g.w, Disp: g.packed(b)}, g.ahead)
	if !b.only {
		g.tileS = g.asm.pointer("scratch")
		g.asm.ADDQ(operand.U32(restingSumsAt), g.tileS)
	}
	if b.last {
		g.tileY = g.asm.pointer("y")
		if g.Epilogue.Bias {
			g.bias = g.asm.pointer("bias")
		}
		if g.Epilogue.Residual {
			g.tileR = g.asm.pointer("residual")
		}
	}
	g.allTiles(b, weights)
	if !b.last {
		g.asm.ADDQ(operand.U32(uint32(g.packed(b))), g.w)
		g.asm.ADDQ(operand.U32(uint32(4*b.columns)), g.x)
	}
}

// allTiles runs the tallest tiles, then lower ones for the rest. Where weights are
// float32, and tokens so few that reading them takes longer than all products,
// only lower tiles run: those that read whole rows of the panel, one after the
// other, as hardware foresees it.
func (g *gemm) allTiles(b block, weights reg.GPVirtual) {
	lower := g.asm.label("lower")
	if n := g.onlyLower(); n > 0 {
		g.asm.CMPQ(g.left, operand.U32(uint32(n)))
		g.asm.JLT(operand.LabelRef(lower))
	}
	for i, m := range heights(g.tile.Tokens) {
		if i == 1 {
			g.asm.Label(lower)
		}
		g.tiles(b, m, weights)
	}
}

// onlyLower is for fewer tokens than which only lower tiles run; 0 if they never
// run alone.
func (g *gemm) onlyLower() int {
	list := heights(g.tile.Tokens)
	if g.Storage != kernel.F32 || len(list) < 2 || g.rows(list[1]) <= g.tile.Rows {
		return 0
	}
	return max(2*g.tile.Tokens, fewTokens)
}

// packed is the bytes of a block's weights.
func (g *gemm) packed(b block) int {
	return (g.Storage.PanelElements(b.columns) - g.Storage.PanelElements(0)) * g.Storage.ElementBytes()
}

// asks is how many lines of the coming weights a turn of a tile asks for, in as
// many parts of the block: some sixteen tokens ask for all. More would hold up the
// loads of the tile.
func (g *gemm) asks() int {
	n := max(g.tile.Tokens*g.tile.Rows/(6*g.asm.level.lanes), 1)
	if g.inPlace {
		n += n / 2
	}
	return n
}

// pace chooses the step with which the tiles of one block ask for all of the
// next: less for more tokens, so that there is no burst of requests.
func (g *gemm) pace() {
	g.step = g.asm.GP64()
	tokens := g.asm.integer("tokens")
	g.asm.MOVQ(operand.U32(lineBytes), g.step)
	done := g.asm.label("paced")
	for n := g.tile.Tokens; n <= 512; n *= 2 {
		turns := n / g.tile.Tokens * kernel.PanelRows / g.tile.Rows * g.tile.Block / gemmUnroll
		part := g.packed(block{columns: g.tile.Block}) / g.asks()
		if part >= turns*lineBytes {
			continue
		}
		g.asm.CMPQ(tokens, operand.U32(uint32(n)))
		g.asm.JLT(operand.LabelRef(done))
		g.asm.MOVQ(operand.U32(uint32((part+turns-1)/turns)), g.step)
	}
	g.asm.Label(done)
}

// askWeights asks for some of the weights that come after the block: those of
// the next one, or of the next panel.
func (g *gemm) askWeights() {
	part := g.packed(block{columns: g.tile.Block}) / g.asks()
	for i := range g.asks() {
		g.asm.PREFETCHT1(operand.Mem{Base: g.ahead, Disp: i * part})
	}
	g.asm.ADDQ(g.step, g.ahead)
}

// askTile asks for what the next tile loads first and stores last.
func (g *gemm) askTile(b block, m int) {
	for t := m; t < 2*m; t++ {
		g.asm.PREFETCHT0(operand.Mem{Base: g.tileX, Disp: 4 * t * g.StrideX})
		for at := 0; at < panelBytes; at += lineBytes {
			if !b.only {
				g.asm.PREFETCHT0(operand.Mem{Base: g.tileS, Disp: t*panelBytes + at})
			}
			if b.last {
				g.asm.PREFETCHT0(operand.Mem{Base: g.tileY, Disp: 4*t*g.StrideY + at})
			}
		}
	}
}

// widen unpacks a block of columns into scratch: pairs, or codes.
func (g *gemm) widen(columns int) reg.GPVirtual {
	if _, coded := g.Storage.Coded(); coded {
		return g.widenCodes(columns)
	}
	from, to, n := g.asm.GP64(), g.asm.pointer("scratch"), g.asm.GP64()
	g.asm.MOVQ(g.w, from)
	w := newWidener(g.asm, g.Storage)
	if pairs := columns / 2; pairs > 0 {
		loop := g.asm.label("widen")
		g.asm.MOVQ(operand.U32(uint32(pairs)), n)
		g.asm.legend("Widen a pair of columns a turn.", holds("packed weights", from), holds("scratch", to), holds("pairs left", n))
		g.asm.Label(loop)
		for at := 0; at < panelBytes; at += g.asm.bytes() {
			low, high := w.pair(operand.Mem{Base: from, Disp: at})
			g.asm.VMOVUPS(low, operand.Mem{Base: to, Disp: at})
			g.asm.VMOVUPS(high, operand.Mem{Base: to, Disp: panelBytes + at})
		}
		g.asm.ADDQ(operand.U32(panelBytes), from)
		g.asm.ADDQ(operand.U32(2*panelBytes), to)
		g.asm.DECQ(n)
		g.asm.JNZ(operand.LabelRef(loop))
	}
	if columns%2 > 0 {
		for at := 0; at < panelBytes; at += g.asm.bytes() {
			g.asm.VMOVUPS(w.low(operand.Mem{Base: from, Disp: at}), operand.Mem{Base: to, Disp: at})
		}
	}
	return g.asm.pointer("scratch")
}

// tiles runs tiles of m tokens, as many as fit.
func (g *gemm) tiles(b block, m int, weights reg.GPVirtual) {
	loop, done := g.asm.label("tile"), g.asm.label("next")
	g.asm.legend(fmt.Sprintf("Tokens, %d at a time.", m), holds("tokens left", g.left), holds("inputs", g.tileX), holds("weights", weights))
	g.asm.Label(loop)
	g.asm.CMPQ(g.left, operand.U32(uint32(m)))
	g.asm.JLT(operand.LabelRef(done))
	rows := g.rows(m)
	for row := 0; row < kernel.PanelRows; row += rows {
		g.computeTile(b, m, row, rows, weights)
	}
	g.asm.ADDQ(operand.U32(uint32(4*m*g.StrideX)), g.tileX)
	if !b.only {
		g.asm.ADDQ(operand.U32(uint32(m*panelBytes)), g.tileS)
	}
	if b.last {
		g.asm.ADDQ(operand.U32(uint32(4*m*g.StrideY)), g.tileY)
		if g.Epilogue.Residual {
			g.asm.ADDQ(operand.U32(uint32(4*m*g.StrideY)), g.tileR)
		}
	}
	g.asm.SUBQ(operand.U32(uint32(m)), g.left)
	g.asm.JMP(operand.LabelRef(loop))
	g.asm.Label(done)
}

// rows is the width of a tile of m tokens: as many rows as there are sums for, so
// that products need not wait for each other.
func (g *gemm) rows(m int) int {
	n := kernel.PanelRows
	for n > g.tile.Rows && (n*m > g.tile.Rows*g.tile.Tokens || kernel.PanelRows%n != 0) {
		n -= g.tile.Rows
	}
	return n
}

// asking reports whether tiles of m tokens ask for the coming weights.
func (g *gemm) asking(m int) bool { return m == g.tile.Tokens || g.rows(m) == kernel.PanelRows }

// computeTile computes m tokens × some rows of the panel.
func (g *gemm) computeTile(b block, m, first, rows int, weights reg.GPVirtual) {
	acc, row := make([][]reg.VecVirtual, m), 4*first
	for t := range acc {
		acc[t] = g.asm.vecs(rows / g.asm.level.lanes)
		for i, v := range acc[t] {
			if b.only {
				g.asm.zero(v)
			} else {
				g.asm.VMOVUPS(operand.Mem{Base: g.tileS, Disp: t*panelBytes + row + i*g.asm.bytes()}, v)
			}
		}
	}
	g.columns(b.columns, acc, row, weights, g.asking(m))
	if m == g.tile.Tokens && row == 0 {
		g.askTile(b, m)
	}
	e := &epilogue{a: g.asm, bias: g.bias, residual: g.tileR}
	for t := range acc {
		for i, v := range acc[t] {
			at := row + i*g.asm.bytes()
			if b.last {
				e.apply(v, at, 4*t*g.StrideY)
				g.asm.VMOVUPS(v, operand.Mem{Base: g.tileY, Disp: 4*t*g.StrideY + at})
			} else {
				g.asm.VMOVUPS(v, operand.Mem{Base: g.tileS, Disp: t*panelBytes + at})
			}
		}
	}
}

// columns is the inner loop: per column the tile's weights and a broadcast per
// token once, and their products; now and then a request for weights.
func (g *gemm) columns(n int, acc [][]reg.VecVirtual, row int, weights reg.GPVirtual, ask bool) {
	w, x := g.asm.GP64(), g.asm.GP64()
	g.asm.MOVQ(weights, w)
	g.asm.MOVQ(g.tileX, x)
	if turns := n / gemmUnroll; turns > 0 {
		count, loop := g.asm.GP64(), g.asm.label("column")
		g.asm.MOVQ(operand.U32(uint32(turns)), count)
		g.asm.legend("Four columns a turn: weights once, one input a token.",
			holds("sums", slices.Concat(acc...)...), holds("weights", w), holds("inputs", x), holds("turns left", count))
		g.asm.Label(loop)
		for u := range gemmUnroll {
			g.column(acc, g.weights(w, u, row), operand.Mem{Base: x, Disp: 4 * u})
		}
		if ask {
			g.askWeights()
		}
		g.asm.ADDQ(operand.U32(uint32(g.unitsOf(gemmUnroll)*panelBytes)), w)
		g.asm.ADDQ(operand.U32(4*gemmUnroll), x)
		g.asm.DECQ(count)
		g.asm.JNZ(operand.LabelRef(loop))
	}
	for u := range n % gemmUnroll {
		g.column(acc, g.weights(w, u, row), operand.Mem{Base: x, Disp: 4 * u})
	}
}

// unitsOf is how many units of the panel in memory come before a column.
func (g *gemm) unitsOf(column int) int {
	if g.inPlace {
		return column / 2
	}
	return column
}

// weights loads vector i of column u from byte row on; where pairs of columns are
// taken as they lie, one of the two.
func (g *gemm) weights(w reg.GPVirtual, u, row int) func(i int) reg.VecVirtual {
	return func(i int) reg.VecVirtual {
		m := operand.Mem{Base: w, Disp: g.unitsOf(u)*panelBytes + row + i*g.asm.bytes()}
		if g.inPlace {
			return g.asm.inPlace(g.Storage, m, u%2)
		}
		v := g.asm.vec()
		g.asm.VMOVUPS(m, v)
		return v
	}
}

// column holds what a tile has less of, weights or inputs, and passes the others
// through one register.
func (g *gemm) column(acc [][]reg.VecVirtual, w func(i int) reg.VecVirtual, x operand.Mem) {
	if len(acc) < len(acc[0]) {
		g.columnOfInputs(acc, w, x)
		return
	}
	weights := make([]reg.VecVirtual, len(acc[0]))
	for i := range weights {
		weights[i] = w(i)
	}
	for t, row := range acc {
		in := g.asm.broadcast(x.Base, x.Disp+4*t*g.StrideX)
		for i, v := range row {
			g.multiplyAdd(weights[i], in, v)
		}
	}
}

func (g *gemm) columnOfInputs(acc [][]reg.VecVirtual, w func(i int) reg.VecVirtual, x operand.Mem) {
	inputs := make([]reg.VecVirtual, len(acc))
	for t := range inputs {
		inputs[t] = g.asm.broadcast(x.Base, x.Disp+4*t*g.StrideX)
	}
	for i := range acc[0] {
		weights := w(i)
		for t, in := range inputs {
			g.multiplyAdd(weights, in, acc[t][i])
		}
	}
}
