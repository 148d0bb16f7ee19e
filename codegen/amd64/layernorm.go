package amd64

import (
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerKind("layernorm", emitter{
		supports: func(*Level, kernel.Spec) bool { return true },
		emit:     func(a *asm, s kernel.Spec) { (&layernorm{asm: a, LayerNorm: s.(kernel.LayerNorm)}).emit() },
	})
}

// layernorm treats one token a turn: the mean, the squares of what differs from
// it, the outputs.
type layernorm struct {
	asm *asm
	kernel.LayerNorm
	x, y, w, bias reg.GPVirtual
	elements      *run
}

func (n *layernorm) emit() {
	a := n.asm
	n.y, n.x, n.w = a.pointer("y"), a.pointer("x"), a.pointer("w")
	if n.Bias {
		n.bias = a.pointer("bias")
	}
	a.rows([]row{{"inputs", n.x, n.StrideX}, {"outputs", n.y, n.StrideY}},
		func() { n.elements = a.run(n.Width, a.normVectors()) },
		func() {
			mean := n.mean()
			n.outputs(mean, a.normScale(a.mean(n.squares(mean), n.Width), n.Eps(), n.EpsBits))
		})
}

// mean is that of the inputs, in all lanes.
func (n *layernorm) mean() reg.VecVirtual {
	a, sums, mean := n.asm, n.asm.zeros(n.asm.normVectors()), n.asm.vec()
	n.elements.each("Sums of 16 elements a turn.", func(i int, m tailMask, at element) {
		a.VADDPS(a.load(m, at(n.x, 0)), sums[i], sums[i])
	}, holds("sums", sums...))
	a.VBROADCASTSS(a.mean(sums, n.Width), mean)
	return mean
}

// centred is an input less the mean; absent elements are 0.
func (n *layernorm) centred(m tailMask, at element, mean reg.VecVirtual) reg.VecVirtual {
	v := n.asm.load(m, at(n.x, 0))
	n.asm.VSUBPS(mean, v, v)
	n.asm.keep(m, v)
	return v
}

func (n *layernorm) squares(mean reg.VecVirtual) []reg.VecVirtual {
	a, sums := n.asm, n.asm.zeros(n.asm.normVectors())
	n.elements.each("Squares of 16 differences a turn.", func(i int, m tailMask, at element) {
		v := n.centred(m, at, mean)
		a.VFMADD231PS(v, v, sums[i])
	}, holds("sums", sums...), holds("mean", mean))
	return sums
}

func (n *layernorm) outputs(mean, scale reg.VecVirtual) {
	a := n.asm
	n.elements.each("Outputs of 16 elements a turn.", func(_ int, m tailMask, at element) {
		v := n.centred(m, at, mean)
		a.VMULPS(scale, v, v)
		if n.Bias {
			a.VFMADD213PS(a.load(m, at(n.bias, 0)), a.load(m, at(n.w, 0)), v)
		} else {
			a.times(m, at(n.w, 0), v)
		}
		a.store(m, v, at(n.y, 0))
	}, holds("mean", mean), holds("scale", scale))
}
