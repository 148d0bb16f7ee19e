package amd64

import (
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("rope", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit:     func(a *asm, s kernel.Spec) { (&rope{asm: a, RoPE: s.(kernel.RoPE)}).emit() },
	})
}

// rope treats one head a turn: the halves that are turned, then what is copied.
type rope struct {
	asm *asm
	kernel.RoPE
	halves, rest *run
	neighbours   *neighbours // of interleaved pairs
	last, angles tailMask    // what there is of their last vector and of its angles
}

func (r *rope) emit() {
	a := r.asm
	y, x, angles := a.pointer("y"), a.pointer("x"), a.pointer("angles")
	a.rows([]row{{"inputs", x, r.StrideX}, {"angles", angles, r.StrideA}, {"outputs", y, r.StrideY}},
		func() {
			r.rest = a.run(r.HeadDim-r.Rotary, 1)
			if r.Interleaved {
				rest := r.Rotary % a.level.lanes
				r.neighbours, r.last, r.angles = a.neighbours(), a.tail(rest, 1)[0], a.tail(rest/2, 1)[0]
			} else {
				r.halves = a.run(r.Rotary/2, 1)
			}
		},
		func() {
			a.groups(r.Width/r.HeadDim, r.HeadDim, []reg.GPVirtual{x, y}, func(p []reg.GPVirtual) {
				if r.Interleaved {
					r.turnNeighbours(p[0], p[1], angles)
				} else {
					r.turn(p[0], p[1], angles)
				}
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
		first, second := a.turned(cos, sin, low, high)
		a.store(m, first, at(y, 0))
		a.store(m, second, at(y, half))
	})
}

// turned is x·cos − y·sin and y·cos + x·sin.
func (a *asm) turned(cos, sin, x, y reg.VecVirtual) (first, second reg.VecVirtual) {
	first, second = a.vec(), a.vec()
	a.VMULPS(cos, x, first)
	a.VFNMADD231PS(sin, y, first)
	a.VMULPS(cos, y, second)
	a.VFMADD231PS(sin, x, second)
	return first, second
}

// turnNeighbours turns the pairs of a head: elements that are next to each other.
func (r *rope) turnNeighbours(x, y, angles reg.GPVirtual) {
	r.neighbours.each(r.Rotary, r.last, r.angles, func(present, halfPresent tailMask, at, angle element) {
		turned := r.neighbours.turn(r.asm.load(present, at(x, 0)), halfPresent, angle(angles, 0), angle(angles, 2*r.Rotary))
		r.asm.store(present, turned, at(y, 0))
	})
}
