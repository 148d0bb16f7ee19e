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
	*asm
	kernel.Conv
	y, x, w, window, bias reg.GPVirtual
	constants             *expConstants
}

func (c *conv) emit() {
	c.y, c.x, c.w, c.window = c.pointer("y"), c.pointer("x"), c.pointer("w"), c.pointer("window")
	if c.Bias {
		c.bias = c.pointer("bias")
	}
	groups, tokens := c.integer("groups"), c.integer("tokens")
	if c.level.lanes < kernel.GroupChannels {
		c.ADDQ(groups, groups)
	}
	done, loop := c.label("done"), c.label("channels")
	c.TESTQ(tokens, tokens)
	c.JZ(operand.LabelRef(done))
	c.TESTQ(groups, groups)
	c.JZ(operand.LabelRef(done))
	if c.Activation == kernel.SiLU {
		c.constants = c.expConstants()
	}
	c.legend("One vector of channels a turn.", holds("weights", c.w), holds("window", c.window), holds("vectors left", groups))
	c.Label(loop)
	c.channels(tokens)
	for _, p := range []reg.GPVirtual{c.y, c.x, c.w, c.window, c.bias} {
		if p != nil {
			c.ADDQ(operand.U32(uint32(c.bytes())), p)
		}
	}
	c.DECQ(groups)
	c.JNZ(operand.LabelRef(loop))
	c.Label(done)
}

// channels runs all tokens for the vector of channels at the pointers.
func (c *conv) channels(tokens reg.GPVirtual) {
	past := c.vecs(c.Taps - 1)
	for j, v := range past {
		c.VMOVUPS(operand.Mem{Base: c.window, Disp: 4 * j * c.Channels}, v)
	}
	x, y, n := c.GP64(), c.GP64(), c.GP64()
	c.MOVQ(c.x, x)
	c.MOVQ(c.y, y)
	c.MOVQ(tokens, n)
	loop := c.label("token")
	c.legend("One token a turn.", holds("past inputs from the oldest on", past...), holds("input", x), holds("output", y), holds("tokens left", n))
	c.Label(loop)
	c.askToken(x, c.StrideX)
	now, acc := c.vec(), c.vec()
	c.VMOVUPS(operand.Mem{Base: x}, now)
	c.zero(acc)
	for j, v := range past {
		c.VFMADD231PS(operand.Mem{Base: c.w, Disp: 4 * j * c.Channels}, v, acc)
	}
	c.VFMADD231PS(operand.Mem{Base: c.w, Disp: 4 * (c.Taps - 1) * c.Channels}, now, acc)
	if c.Bias {
		c.VADDPS(operand.Mem{Base: c.bias}, acc, acc)
	}
	for j := range past {
		if j+1 < len(past) {
			c.VMOVAPS(past[j+1], past[j])
		} else {
			c.VMOVAPS(now, past[j])
		}
	}
	if c.Activation == kernel.SiLU {
		c.silu([]reg.VecVirtual{acc}, c.constants)
	}
	c.VMOVUPS(acc, operand.Mem{Base: y})
	c.ADDQ(operand.U32(uint32(4*c.StrideX)), x)
	c.ADDQ(operand.U32(uint32(4*c.StrideY)), y)
	c.DECQ(n)
	c.JNZ(operand.LabelRef(loop))
	for j, v := range past {
		c.VMOVUPS(v, operand.Mem{Base: c.window, Disp: 4 * j * c.Channels})
	}
}
