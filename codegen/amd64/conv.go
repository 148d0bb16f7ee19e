package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/mambac/mambac/codegen/kernel"
)

// maxTaps is how long a window may be to stay in registers beside what silu
// needs.
const maxTaps = 7

func init() {
	registerKind("conv", emitter{
		supports: func(_ *Level, s kernel.Spec) bool { return s.(kernel.Conv).Taps <= maxTaps },
		emit:     func(a *asm, s kernel.Spec) { (&conv{asm: a, Conv: s.(kernel.Conv)}).emit() },
	})
}

// conv walks the tokens of one vector of channels with the window in
// registers.
type conv struct {
	asm *asm
	kernel.Conv
	y, x, w, window, bias reg.GPVirtual
	constants             *expConstants
}

func (c *conv) emit() {
	c.y, c.x, c.w, c.window = c.asm.pointer("y"), c.asm.pointer("x"), c.asm.pointer("w"), c.asm.pointer("window")
	if c.Bias {
		c.bias = c.asm.pointer("bias")
	}
	groups, tokens := c.asm.integer("groups"), c.asm.integer("tokens")
	if c.asm.level.lanes < kernel.GroupChannels {
		c.asm.ADDQ(groups, groups)
	}
	done, loop := c.asm.label("done"), c.asm.label("channels")
	c.asm.TESTQ(tokens, tokens)
	c.asm.JZ(operand.LabelRef(done))
	c.asm.TESTQ(groups, groups)
	c.asm.JZ(operand.LabelRef(done))
	if c.Activation == kernel.SiLU {
		c.constants = c.asm.expConstants()
	}
	c.asm.legend("One vector of channels a turn.", holds("weights", c.w), holds("window", c.window), holds("vectors left", groups))
	c.asm.Label(loop)
	c.channels(tokens)
	for _, p := range []reg.GPVirtual{c.y, c.x, c.w, c.window, c.bias} {
		if p != nil {
			c.asm.ADDQ(operand.U32(uint32(c.asm.bytes())), p)
		}
	}
	c.asm.DECQ(groups)
	c.asm.JNZ(operand.LabelRef(loop))
	c.asm.Label(done)
}

// channels runs all tokens for the vector of channels at the pointers.
func (c *conv) channels(tokens reg.GPVirtual) {
	past := c.asm.vecs(c.Taps - 1)
	for j, v := range past {
		c.asm.VMOVUPS(operand.Mem{Base: c.window, Disp: 4 * j * c.Channels}, v)
	}
	x, y, n := c.asm.GP64(), c.asm.GP64(), c.asm.GP64()
	c.asm.MOVQ(c.x, x)
	c.asm.MOVQ(c.y, y)
	c.asm.MOVQ(tokens, n)
	loop := c.asm.label("token")
	c.asm.legend("One token a turn.", holds("past inputs from the oldest on", past...), holds("input", x), holds("output", y), holds("tokens left", n))
	c.asm.Label(loop)
	c.asm.askToken(x, c.StrideX)
	now, acc := c.asm.vec(), c.asm.vec()
	c.asm.VMOVUPS(operand.Mem{Base: x}, now)
	c.asm.zero(acc)
	for j, v := range past {
		c.asm.VFMADD231PS(operand.Mem{Base: c.w, Disp: 4 * j * c.Channels}, v, acc)
	}
	c.asm.VFMADD231PS(operand.Mem{Base: c.w, Disp: 4 * (c.Taps - 1) * c.Channels}, now, acc)
	if c.Bias {
		c.asm.VADDPS(operand.Mem{Base: c.bias}, acc, acc)
	}
	for j := range past {
		if j+1 < len(past) {
			c.asm.VMOVAPS(past[j+1], past[j])
		} else {
			c.asm.VMOVAPS(now, past[j])
		}
	}
	if c.Activation == kernel.SiLU {
		c.asm.silu([]reg.VecVirtual{acc}, c.constants)
	}
	c.asm.VMOVUPS(acc, operand.Mem{Base: y})
	c.asm.ADDQ(operand.U32(uint32(4*c.StrideX)), x)
	c.asm.ADDQ(operand.U32(uint32(4*c.StrideY)), y)
	c.asm.DECQ(n)
	c.asm.JNZ(operand.LabelRef(loop))
	for j, v := range past {
		c.asm.VMOVUPS(v, operand.Mem{Base: c.window, Disp: 4 * j * c.Channels})
	}
}
