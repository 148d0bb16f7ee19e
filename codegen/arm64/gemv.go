package arm64

import "github.com/mambac/mambac/codegen/kernel"

func init() {
	registerKind(
		func(s kernel.Gemv) bool { return linear(s.Storage, s.Epilogue) },
		func(a *asm, s kernel.Gemv) { (&gemv{asm: a, Gemv: s}).emit() },
	)
}

// panelBytes is one column of a float32 panel, or one pair of columns of a
// 16-bit one.
const panelBytes = 4 * kernel.PanelRows

// quad is the number of neighbours that one instruction loads or stores.
const quad = 4

// gemv streams the weights of a run of panels: one accumulator per four rows,
// and four inputs in one register, each of which multiplies from its lane.
type gemv struct {
	*asm
	kernel.Gemv
	w, x    general
	acc     []vector
	in      vector
	widener *widener
}

func (g *gemv) emit() {
	y, panels, base := g.argument("y"), g.argument("panels"), g.argument("x")
	g.w, g.x = g.argument("w"), g.gp()
	epilogue := g.epilogue(g.Epilogue)
	g.acc = g.vecs(kernel.PanelRows / lanes)
	g.in = g.vec()
	done, panel := g.label("done"), g.label("panel")
	g.ifZero(panels, done)
	if g.Storage != kernel.F32 {
		g.widener = g.asm.widener(g.Storage)
	}
	g.legend("One panel of 48 rows a turn.", holds("panels left", panels), holds("outputs", y), holds("weights", g.w))
	g.place(panel)
	g.mov(base, g.x)
	for _, v := range g.acc {
		g.zero(v)
	}
	g.columns()
	for i := 0; i < len(g.acc); i += quad {
		acc := g.acc[i : i+quad]
		if g.Epilogue.Bias {
			g.pass(epilogue.bias, acc)
		}
		if g.Epilogue.Residual {
			g.pass(epilogue.residual, acc)
		}
		g.stores(acc, y)
	}
	g.countdown(panels, panel)
	g.place(done)
}

// columns walks K: whole turns of the loop, then what is left.
func (g *gemv) columns() {
	if turns := g.K / lanes; turns > 0 {
		n, loop := g.gp(), g.label("columns")
		g.set(turns, n)
		g.legend("Four columns a turn.", holds("sums", g.acc...), holds("inputs", g.in), holds("the next", g.x), holds("turns left", n))
		g.place(loop)
		g.turn(lanes)
		g.countdown(n, loop)
		g.freeGP(n)
	}
	g.turn(g.K % lanes)
}

// turn adds n columns, at most as many as a register has lanes.
func (g *gemv) turn(n int) {
	g.loadLanes(g.x, n, g.in)
	if g.Storage == kernel.F32 {
		for k := range n {
			g.column(element{g.in, k})
		}
		return
	}
	for k := 0; k < n; k += 2 {
		g.pair(k, k+1 < n)
	}
}

// column adds one column.
func (g *gemv) column(x element) {
	for i := 0; i < len(g.acc); i += quad {
		weights := g.vecs(quad)
		g.loads(g.w, weights)
		g.addProducts(weights, x, g.acc[i:])
		g.free(weights...)
	}
}

// pair adds the pair of columns from lane k of the inputs on; the second one
// may be padding.
func (g *gemv) pair(k int, both bool) {
	const vectors = widenRows / lanes
	for i := 0; i < len(g.acc); i += vectors {
		first, second := g.widener.pair(g.w)
		g.addProducts(first, element{g.in, k}, g.acc[i:])
		if both {
			g.addProducts(second, element{g.in, k + 1}, g.acc[i:])
		}
		g.free(first...)
		g.free(second...)
	}
}

// addProducts adds weights times one input to as many accumulators.
func (a *asm) addProducts(weights []vector, x element, acc []vector) {
	for i, w := range weights {
		a.fmlaLane(w, x, acc[i])
	}
}
