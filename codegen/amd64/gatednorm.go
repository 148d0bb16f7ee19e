package amd64

import (
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("gatednorm", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit:     func(a *asm, s kernel.Spec) { (&gatednorm{asm: a, GatedNorm: s.(kernel.GatedNorm)}).emit() },
	})
}

// gatednorm treats one group a turn. With the gate first it leaves what it takes
// the mean of in y.
type gatednorm struct {
	asm *asm
	kernel.GatedNorm
	elements  *run
	constants *expConstants
}

func (g *gatednorm) emit() {
	a := g.asm
	y, x, z, w := a.pointer("y"), a.pointer("x"), a.pointer("z"), a.pointer("w")
	a.rows([]row{{"inputs", x, g.StrideX}, {"gates", z, g.StrideZ}, {"outputs", y, g.StrideY}},
		func() {
			g.elements, g.constants = a.run(g.Elements(), a.normVectors()), a.expConstants()
		},
		func() {
			a.groups(g.Width/g.Elements(), g.Elements(), []reg.GPVirtual{x, z, y, w}, func(p []reg.GPVirtual) {
				if g.NormFirst {
					g.normFirst(p[0], p[1], p[2], p[3])
				} else {
					g.gateFirst(p[0], p[1], p[2], p[3])
				}
			})
		})
}

func (g *gatednorm) gateFirst(x, z, y, w reg.GPVirtual) {
	a, sums := g.asm, g.asm.zeros(g.asm.normVectors())
	g.elements.each("Gated inputs and their squares, 16 elements a turn.", func(i int, m tailMask, at element) {
		v := g.gate(m, at, z)
		a.times(m, at(x, 0), v)
		a.store(m, v, at(y, 0))
		a.VFMADD231PS(v, v, sums[i])
	}, holds("sums", sums...))
	g.elements.scaled(y, y, g.scale(sums), []reg.GPVirtual{w})
}

func (g *gatednorm) normFirst(x, z, y, w reg.GPVirtual) {
	a, scale := g.asm, g.scale(g.elements.squares(x))
	g.elements.each("Products of 16 elements a turn.", func(_ int, m tailMask, at element) {
		gate, v := g.gate(m, at, z), a.load(m, at(x, 0))
		a.VMULPS(scale, v, v)
		a.times(m, at(w, 0), v)
		a.VMULPS(gate, v, v)
		a.store(m, v, at(y, 0))
	}, holds("scale", scale))
}

// gate is silu(z).
func (g *gatednorm) gate(m tailMask, at element, z reg.GPVirtual) reg.VecVirtual {
	v := g.asm.load(m, at(z, 0))
	g.asm.silu([]reg.VecVirtual{v}, g.constants)
	return v
}

func (g *gatednorm) scale(sums []reg.VecVirtual) reg.VecVirtual {
	return g.asm.normScale(g.asm.mean(sums, g.Elements()), g.Eps(), g.EpsBits)
}
