package amd64

import (
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("rope", emitter{
		supports: func(_ *Level, s kernel.Spec) bool { return !s.(kernel.RoPE).Interleaved },
		emit:     func(a *asm, s kernel.Spec) { (&rope{asm: a, RoPE: s.(kernel.RoPE)}).emit() },
	})
}

// rope treats one head a turn: the halves that are turned, then what is copied.
type rope struct {
	asm *asm
	kernel.RoPE
	halves, rest *run
}

func (r *rope) emit() {
	a := r.asm
	y, x, angles := a.pointer("y"), a.pointer("x"), a.pointer("angles")
	a.rows([]row{{"inputs", x, r.StrideX}, {"angles", angles, r.StrideA}, {"outputs", y, r.StrideY}},
		func() { r.halves, r.rest = a.run(r.Rotary/2, 1), a.run(r.HeadDim-r.Rotary, 1) },
		func() {
			a.groups(r.Width/r.HeadDim, r.HeadDim, []reg.GPVirtual{x, y}, func(p []reg.GPVirtual) {
				r.turn(p[0], p[1], angles)
				r.rest.each("What is not turned.", func(_ int, m tailMask, at element) {
					a.store(m, a.load(m, at(p[0], 4*r.Rotary)), at(p[1], 4*r.Rotary))
				})
			})
		})
}

// turn turns the pairs of a head: element i of both halves.
func (r *rope) turn(x, y, angles reg.GPVirtual) {
	a, half := r.asm, 2*r.Rotary // in bytes
	r.halves.each("Pairs, a vector of each half a turn.", func(_ int, m tailMask, at element) {
		cos, sin := a.load(m, at(angles, 0)), a.load(m, at(angles, half))
		low, high := a.load(m, at(x, 0)), a.load(m, at(x, half))
		first, second := a.vec(), a.vec()
		a.VMULPS(cos, low, first)
		a.VFNMADD231PS(sin, high, first)
		a.VMULPS(cos, high, second)
		a.VFMADD231PS(sin, low, second)
		a.store(m, first, at(y, 0))
		a.store(m, second, at(y, half))
	})
}
