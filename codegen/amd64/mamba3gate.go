package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("mamba3gate", emitter{
		supports: func(l *Level, s kernel.Spec) bool {
			return s.(kernel.Mamba3Gate).Rank <= l.registers-mamba3GateTemporaries
		},
		emit: func(a *asm, s kernel.Spec) { (&mamba3Gate{asm: a, Mamba3Gate: s.(kernel.Mamba3Gate)}).emit() },
	})
}

// mamba3GateTemporaries is how many registers are needed beside a scale for each
// rank.
const mamba3GateTemporaries = 10

// mamba3Gate treats one head a turn: the scale of each rank, then its elements.
type mamba3Gate struct {
	asm *asm
	kernel.Mamba3Gate
	squares, elements *run
	constants         *expConstants
}

// mamba3Arrays is where a head has its elements and its ranks.
type mamba3Arrays struct{ y, x, z, w, mimoZ, mimoO reg.GPVirtual }

func (g *mamba3Gate) emit() {
	a := g.asm
	y, x, z := a.pointer("y"), a.pointer("x"), a.pointer("z")
	ranks := g.Rank * g.HeadDim
	a.rows([]row{{"inputs", x, g.StrideX}, {"gates", z, g.StrideZ}, {"outputs", y, g.StrideY}},
		func() {
			g.constants, g.elements = a.expConstants(), a.run(g.HeadDim, 1)
			if g.Norm {
				g.squares = a.run(g.HeadDim, a.normVectors())
			}
		},
		func() {
			list := []move{{y, g.HeadDim}, {x, ranks}, {z, g.HeadDim}, {a.pointer("mimoZ"), ranks}, {a.pointer("mimoO"), ranks}}
			if g.Norm {
				list = append(list, move{a.pointer("w"), g.HeadDim})
			}
			a.groupsOf(g.Width/g.HeadDim, list, func(p []reg.GPVirtual) {
				head := mamba3Arrays{y: p[0], x: p[1], z: p[2], mimoZ: p[3], mimoO: p[4]}
				if g.Norm {
					head.w = p[5]
				}
				g.head(&head)
			})
		})
}

// head adds up the ranks of a head.
func (g *mamba3Gate) head(p *mamba3Arrays) {
	a, scales := g.asm, g.scales(p.x)
	g.elements.each("Elements of all ranks, a vector a turn.", func(_ int, m tailMask, at element) {
		z, sum := a.load(m, at(p.z, 0)), a.vec()
		a.zero(sum)
		for r := range g.Rank {
			gate := a.load(m, at(p.mimoZ, 4*r*g.HeadDim))
			a.VMULPS(z, gate, gate)
			a.silu([]reg.VecVirtual{gate}, g.constants)
			in := a.load(m, at(p.x, 4*r*g.HeadDim))
			if g.Norm {
				a.VMULPS(scales[r], in, in)
				a.times(m, at(p.w, 0), in)
			}
			a.VMULPS(gate, in, in)
			a.VFMADD231PS(a.load(m, at(p.mimoO, 4*r*g.HeadDim)), in, sum)
		}
		a.store(m, sum, at(p.y, 0))
	}, holds("inputs", p.x), holds("gates", p.z), holds("outputs", p.y), holds("scales", scales...))
}

// scales is 1/√(mean(x²)+eps) of each rank.
func (g *mamba3Gate) scales(x reg.GPVirtual) []reg.VecVirtual {
	if !g.Norm {
		return nil
	}
	a := g.asm
	var scales []reg.VecVirtual
	for r := range g.Rank {
		rank := a.GP64()
		a.LEAQ(operand.Mem{Base: x, Disp: 4 * r * g.HeadDim}, rank)
		scales = append(scales, a.normScale(a.mean(g.squares.squares(rank), g.HeadDim), g.Eps(), g.EpsBits))
	}
	return scales
}
