package amd64

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// What a processor of these levels does in a cycle, whatever the width of its
// registers: RATIONALE.md says what this was held against.
const (
	productsPerCycle = 2.0 // multiply-adds
	loadsPerCycle    = 2.0
	productLatency   = 4.0  // until a product can be added to
	additionLatency  = 1.0  // of whole numbers, where products are added by themselves
	startCycles      = 12.0 // of a loop: the pipeline is empty, its end was guessed wrong
	sumCycles        = 1.0  // to load and store a register of sums
	flushCycles      = 2.0  // to scale a register of whole numbers and add it
	lineCycles       = 0.5  // to fetch a line of inputs for each pass over them
	unpackCycles     = 4.0  // to widen a line of weights
	widenCycles      = 0.25 // to widen a register of weights between products
	memoryCycles     = 10.0 // to read a line of weights from memory
	waitCycles       = 4.0  // that a line costs besides if nobody has asked for it
)

// heap is tiles of one height, how many of them.
type heap struct{ tokens, count int }

// heaps splits tokens into tiles as kernels do.
func heaps(heights []int, tokens int) []heap {
	var list []heap
	for _, m := range heights {
		n := tokens / m
		if n > 0 {
			list = append(list, heap{m, n})
		}
		tokens -= n * m
	}
	return list
}

// heaps leaves the tallest tiles out where they do not run.
func (g *gemm) heaps(tokens int) []heap {
	list := heights(g.tile.Tokens)
	if tokens < g.onlyLower() {
		list = list[1:]
	}
	return heaps(list, tokens)
}

// turn is the cycles of a column for a tile of some height: of products, of loads
// and broadcasts, or of a chain of sums.
func (l *Level) turn(tokens, rows int, latency float64) float64 {
	registers := float64(rows / l.lanes)
	products := float64(tokens) * registers / productsPerCycle
	loads := (float64(tokens) + registers) / loadsPerCycle
	return max(products, loads, latency)
}

// gemmCost adds up the tiles of every block. Where they ask for fewer lines than a
// panel has, what is left comes late.
func (l *Level) gemmCost(s kernel.Gemm, t target.Tile, tokens int) float64 {
	g := &gemm{asm: &asm{level: l}, Gemm: s, tile: t, inPlace: l.widensInPlace(s.Storage) && tokens <= fewTokens}
	full, rest := wholeBlocks(s.K, t.Block)
	cycles := l.blockCost(g, rest, tokens) + float64(full)*l.blockCost(g, t.Block, tokens)
	lines := panelLines(s.Storage, s.K)
	if s.Storage != kernel.F32 && !g.inPlace {
		cycles += unpackCycles * lines
	}
	turns := 0
	for _, h := range g.heaps(tokens) {
		if !g.asking(h.tokens) {
			continue
		}
		turns += h.count * kernel.PanelRows / g.rows(h.tokens) * s.K / gemmUnroll
	}
	return max(cycles, memoryCycles*lines) + waitCycles*max(lines-float64(turns*g.asks()), 0)
}

// blockCost is a block of columns for all tokens and all rows of a panel.
func (l *Level) blockCost(g *gemm, columns, tokens int) float64 {
	cycles := 0.0
	for _, h := range g.heaps(tokens) {
		rows := g.rows(h.tokens)
		passes, registers := float64(kernel.PanelRows/rows), rows/l.lanes
		lines := float64(h.tokens * columns * 4 / lineBytes)
		tile := startCycles + float64(columns)*l.turn(h.tokens, rows, productLatency) + sumCycles*float64(h.tokens*registers) + lineCycles*lines
		if g.inPlace {
			tile += widenCycles * float64(columns*registers)
		}
		cycles += passes * float64(h.count) * tile
	}
	return cycles
}

// dotGemmCost adds up the tiles of every group of columns.
func (l *Level) dotGemmCost(s kernel.DotGemm, t target.Tile, tokens int) float64 {
	if s.Storage == kernel.BF16 {
		return l.gemmCost(l.roundedGemm(s), t, tokens)
	}
	format, _ := s.Storage.Coded()
	groups := float64(s.Storage.QuantisedRow(s.K).Groups)
	turns := float64(format.Inputs / (&asm{level: l}).products(s.Storage).columns())
	each, latency := 1.0, additionLatency
	if format.Multiples { // by which products are multiplied in turn
		each = 2
	}
	if l.has(vnni) {
		latency = productLatency
	}
	passes, cycles, lines := float64(kernel.PanelRows/t.Rows), 0.0, panelLines(s.Storage, s.K)
	for _, h := range heaps(heights(t.Tokens), tokens) {
		sums := float64(h.tokens * t.Rows / l.lanes)
		turn := max(l.turn(h.tokens, t.Rows, latency), each*sums/productsPerCycle)
		cycles += passes * float64(h.count) * (startCycles + turns*turn + flushCycles*sums)
	}
	return max(groups*cycles+unpackCycles*lines, memoryCycles*lines)
}

// panelLines is how many lines of caches a panel's weights fill.
func panelLines(s kernel.Storage, columns int) float64 {
	return float64(s.PanelElements(columns)*s.ElementBytes()) / lineBytes
}
