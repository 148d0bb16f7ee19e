package arm64

import (
	"fmt"
	"slices"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind(
		func(s kernel.Gemm) bool { return linear(s.Storage, s.Epilogue) },
		func(a *asm, s kernel.Gemm) { (&gemm{asm: a, Gemm: s}).emit() },
	)
}

// The tile of 4 tokens × 16 rows takes 16 accumulators, 4 inputs and twice 4
// weights.
const (
	tileTokens = 4
	tileRows   = quad * lanes
	tileBytes  = 4 * tileRows
)

// gemm multiplies one panel with a run of tokens. K is cut into blocks whose
// weights stay in the first-level cache while every tile of tokens uses them;
// between blocks the sums of a token rest in scratch, 48 floats each, behind
// the widened weights.
type gemm struct {
	*asm
	kernel.Gemm
	tokens, scratch, column general // column is the size of one, in bytes
	// Start of what the block at hand uses: its columns of x, its packed weights
	// and those that are float32.
	x, packed, w general
	epilogue     *epilogue
	// Moving from tile to tile: rows of x, y, residual and resting sums.
	tileX, tileY, tileR, tileS general
	left                       general // tokens not yet done
	y                          general
}

// block says what a run over all tiles does with the accumulators.
type block struct {
	columns     int
	first, last bool // start from zero; finish with the epilogue
}

func (g *gemm) emit() {
	g.tokens = g.argument("tokens")
	done := g.label("done")
	g.ifZero(g.tokens, done)
	g.y, g.x, g.packed, g.scratch = g.argument("y"), g.argument("x"), g.argument("w"), g.argument("scratch")
	g.epilogue = g.asm.epilogue(g.Epilogue)
	g.w = g.packed
	if g.Storage != kernel.F32 {
		g.w = g.scratch
	}
	g.tileX, g.tileY, g.tileR, g.tileS, g.left, g.column = g.gp(), g.gp(), g.gp(), g.gp(), g.gp(), g.gp()
	g.set(panelBytes, g.column)
	full, rest := g.Blocks()
	if full > 0 {
		g.block(block{columns: kernel.KBlock, first: true})
	}
	if full > 1 {
		n, loop := g.gp(), g.label("block")
		g.set(full-1, n)
		g.legend("The blocks between the first and the last.", holds("blocks left", n))
		g.place(loop)
		g.block(block{columns: kernel.KBlock})
		g.countdown(n, loop)
		g.freeGP(n)
	}
	g.block(block{columns: rest, first: full == 0, last: true})
	g.place(done)
}

// block runs all tiles of tokens over one block of columns and moves on.
func (g *gemm) block(b block) {
	if g.Storage != kernel.F32 {
		g.widen(b.columns)
	}
	g.mov(g.x, g.tileX)
	g.mov(g.tokens, g.left)
	if !b.first || !b.last {
		g.offset(g.scratch, kernel.KBlock*panelBytes, g.tileS)
	}
	if b.last {
		g.mov(g.y, g.tileY)
		if g.Epilogue.Residual {
			g.mov(g.epilogue.residual, g.tileR)
		}
	}
	for m := tileTokens; m > 0; m /= 2 {
		g.tiles(b, m)
	}
	if !b.last {
		g.addConstant(g.Storage.PanelElements(b.columns)*g.Storage.ElementBytes(), g.packed)
		g.addConstant(4*b.columns, g.x)
	}
}

// widen unpacks a block of 16-bit columns into scratch.
func (g *gemm) widen(columns int) {
	from, first, second, n := g.gp(), g.gp(), g.gp(), g.gp()
	w := g.asm.widener(g.Storage)
	g.mov(g.packed, from)
	g.mov(g.scratch, first)
	if pairs := columns / 2; pairs > 0 {
		loop := g.label("widen")
		g.set(pairs, n)
		g.legend("Widen a pair of columns a turn.",
			holds("packed weights", from), holds("scratch for one", first), holds("for the other", second), holds("pairs left", n))
		g.place(loop)
		g.offset(first, panelBytes, second)
		g.widenPair(w, from, first, second, true)
		g.mov(second, first)
		g.countdown(n, loop)
	}
	if columns%2 > 0 {
		g.widenPair(w, from, first, second, false)
	}
	w.done()
	g.freeGP(from, first, second, n)
}

// widenPair unpacks one pair of columns, of which the second may be padding.
func (g *gemm) widenPair(w *widener, from, first, second general, both bool) {
	for range kernel.PanelRows / widenRows {
		low, high := w.pair(from)
		g.stores(low, first)
		if both {
			g.stores(high, second)
		}
		g.free(low...)
		g.free(high...)
	}
}

// tiles runs tiles of m tokens: as many as fit for the tallest, at most one
// for the rest.
func (g *gemm) tiles(b block, m int) {
	loop, done := g.label("tile"), g.label("next")
	g.legend(fmt.Sprintf("Tokens, %d at a time.", m), holds("tokens left", g.left), holds("inputs", g.tileX), holds("weights", g.w))
	g.place(loop)
	g.ifLess(g.left, m, done)
	for row := 0; row < kernel.PanelRows; row += tileRows {
		g.tile(b, m, 4*row)
	}
	g.addConstant(4*m*g.StrideX, g.tileX)
	if !b.first || !b.last {
		g.addConstant(m*panelBytes, g.tileS)
	}
	if b.last {
		g.addConstant(4*m*g.StrideY, g.tileY)
		if g.Epilogue.Residual {
			g.addConstant(4*m*g.StrideY, g.tileR)
		}
	}
	g.sub(m, g.left)
	if m == tileTokens {
		g.jump(loop)
	}
	g.place(done)
}

// tile computes m tokens × 16 rows from byte row of the panel on.
func (g *gemm) tile(b block, m, row int) {
	at := g.gp()
	acc := make([][]vector, m)
	for t := range acc {
		acc[t] = g.vecs(quad)
		if b.first {
			for _, v := range acc[t] {
				g.zero(v)
			}
		} else {
			g.offset(g.tileS, t*panelBytes+row, at)
			g.loadsAt(at, acc[t])
		}
	}
	g.columns(b.columns, acc, row)
	for t := range acc {
		if b.last {
			g.finish(acc[t], at, row, 4*t*g.StrideY)
		} else {
			g.offset(g.tileS, t*panelBytes+row, at)
			g.storesAt(acc[t], at)
		}
		g.free(acc[t]...)
	}
	g.freeGP(at)
}

// finish adds bias and residual to the sums of one token and stores them.
func (g *gemm) finish(acc []vector, at general, row, token int) {
	if g.Epilogue.Bias {
		g.offset(g.epilogue.bias, row, at)
		g.pass(at, acc)
	}
	if g.Epilogue.Residual {
		g.offset(g.tileR, row+token, at)
		g.pass(at, acc)
	}
	g.offset(g.tileY, row+token, at)
	g.storesAt(acc, at)
}

// columns is the inner loop: per column the tile's weights once, and a row of
// multiply-adds per token, whose inputs of four columns are in one register.
func (g *gemm) columns(n int, acc [][]vector, row int) {
	w, x, in := g.gp(), make([]general, len(acc)), g.vecs(len(acc))
	g.offset(g.w, row, w)
	for t := range x {
		x[t] = g.gp()
		g.offset(g.tileX, 4*t*g.StrideX, x[t])
	}
	if turns := n / lanes; turns > 0 {
		count, loop := g.gp(), g.label("column")
		g.set(turns, count)
		g.legend("Four columns a turn: weights once, inputs of each token from their lanes.",
			holds("sums", slices.Concat(acc...)...), holds("inputs", in...), holds("the next", x...), holds("weights", w), holds("turns left", count))
		g.place(loop)
		g.turn(lanes, acc, w, x, in)
		g.countdown(count, loop)
		g.freeGP(count)
	}
	g.turn(n%lanes, acc, w, x, in)
	g.freeGP(w)
	g.freeGP(x...)
	g.free(in...)
}

// turn adds n columns, at most as many as a register has lanes. Weights of one
// column come to other registers than those of the next.
func (g *gemm) turn(n int, acc [][]vector, w general, x []general, in []vector) {
	for t, v := range in {
		g.loadLanes(x[t], n, v)
	}
	sets := [][]vector{g.vecs(quad), g.vecs(quad)}
	for k := range n {
		weights := sets[k%len(sets)]
		g.loadsEvery(w, g.column, weights)
		for t := range acc {
			g.addProducts(weights, element{in[t], k}, acc[t])
		}
	}
	g.free(slices.Concat(sets...)...)
}
