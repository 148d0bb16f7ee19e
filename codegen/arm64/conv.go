package arm64

import "github.com/mambac/mambac/codegen/kernel"

// maxTaps is how long a window may be to stay in registers, with its weights,
// beside what silu needs.
const maxTaps = 6

func init() {
	registerKind(
		func(s kernel.Conv) bool {
			return s.Taps <= maxTaps && (s.Activation == kernel.NoActivation || s.Activation == kernel.SiLU)
		},
		func(a *asm, s kernel.Conv) { (&conv{asm: a, Conv: s}).emit() },
	)
}

// conv walks the tokens of one vector of channels with the window and the
// weights in registers.
type conv struct {
	*asm
	kernel.Conv
	y, x, w, window, bias general
	weights, past         []vector
	shift                 vector // the bias
	constants             *expConstants
}

func (c *conv) emit() {
	c.y, c.x, c.w, c.window = c.argument("y"), c.argument("x"), c.argument("w"), c.argument("window")
	moving := []general{c.y, c.x, c.w, c.window}
	if c.Bias {
		c.bias = c.argument("bias")
		c.shift = c.vec()
	}
	groups, tokens := c.argument("groups"), c.argument("tokens")
	done, loop := c.label("done"), c.label("channels")
	c.ifZero(tokens, done)
	c.ifZero(groups, done)
	if c.Activation == kernel.SiLU {
		c.constants = c.expConstants()
	}
	c.weights, c.past = c.vecs(c.Taps), c.rows(c.Taps-1)
	c.asm.shift(2, groups)
	c.legend("One vector of channels a turn.", holds("weights", c.w), holds("window", c.window), holds("vectors left", groups))
	c.place(loop)
	c.channels(tokens)
	for _, p := range moving {
		c.addConstant(4*lanes, p)
	}
	c.countdown(groups, loop)
	c.place(done)
}

// rows takes n registers, which may be none.
func (c *conv) rows(n int) []vector {
	if n == 0 {
		return nil
	}
	return c.vecs(n)
}

// channels runs all tokens for the vector of channels at the pointers.
func (c *conv) channels(tokens general) {
	for j, v := range c.weights {
		c.loadVector(c.w, 4*j*c.Channels, v)
	}
	for j, v := range c.past {
		c.loadVector(c.window, 4*j*c.Channels, v)
	}
	if c.Bias {
		c.loads(c.bias, []vector{c.shift})
	}
	x, y, n := c.gp(), c.gp(), c.gp()
	c.mov(c.x, x)
	c.mov(c.y, y)
	c.mov(tokens, n)
	loop := c.label("token")
	c.legend("One token a turn.", holds("weights", c.weights...), holds("past inputs from the oldest on", c.past...),
		holds("input", x), holds("output", y), holds("tokens left", n))
	c.place(loop)
	c.token(x, y)
	c.addConstant(4*c.StrideX, x)
	c.addConstant(4*c.StrideY, y)
	c.countdown(n, loop)
	for j, v := range c.past {
		c.storeVector(v, c.window, 4*j*c.Channels)
	}
	c.freeGP(x, y, n)
}

// token computes one output and moves the window on.
func (c *conv) token(x, y general) {
	now, acc := c.vec(), c.vec()
	c.loadVector(x, 0, now)
	c.zero(acc)
	inputs := append(append([]vector{}, c.past...), now)
	for j, v := range inputs {
		c.fmla(v, c.weights[j], acc)
	}
	if c.Bias {
		c.fadd(acc, c.shift, acc)
	}
	for j, v := range c.past {
		c.copy(inputs[j+1], v)
	}
	if c.Activation == kernel.SiLU {
		c.silu([]vector{acc}, c.constants)
	}
	c.storeVector(acc, y, 0)
	c.free(now, acc)
}
