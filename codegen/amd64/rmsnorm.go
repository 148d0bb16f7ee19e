package amd64

import (
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("rmsnorm", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit:     func(a *asm, s kernel.Spec) { emitRMSNorm(a, s.(kernel.RMSNorm)) },
	})
}

// emitRMSNorm treats one group a turn: the sum of squares, then the products.
func emitRMSNorm(a *asm, s kernel.RMSNorm) {
	y, x := a.pointer("y"), a.pointer("x")
	var weights, shared []reg.GPVirtual
	switch {
	case s.Weight && s.Shared:
		shared = append(shared, a.pointer("w"))
	case s.Weight:
		weights = append(weights, a.pointer("w"))
	}
	var elements *run
	a.rows([]row{{"inputs", x, s.StrideX}, {"outputs", y, s.StrideY}},
		func() { elements = a.run(s.Elements(), a.normVectors()) },
		func() {
			pointers := append([]reg.GPVirtual{x, y}, weights...)
			a.groups(s.Width/s.Elements(), s.Elements(), pointers, func(p []reg.GPVirtual) {
				scale := a.normScale(a.mean(elements.squares(p[0]), s.Elements()), s.Eps(), s.EpsBits)
				elements.scaled(p[0], p[1], scale, append(p[2:], shared...))
			})
		})
}

// scaled writes x·scale, times the weights if there are any.
func (r *run) scaled(x, y reg.GPVirtual, scale reg.VecVirtual, weights []reg.GPVirtual) {
	a := r.asm
	r.each("Products of 16 elements a turn.", func(_ int, m tailMask, at element) {
		v := a.load(m, at(x, 0))
		a.VMULPS(scale, v, v)
		for _, w := range weights {
			a.times(m, at(w, 0), v)
		}
		a.store(m, v, at(y, 0))
	}, holds("scale", scale))
}
