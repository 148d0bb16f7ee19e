package synth

import "math"

// attention is the sizes of an attention layer (families.md §1.7).
type attention struct {
	inputs, outputs         int // the hidden size, but for what reads two vectors
	heads, kvHeads, headDim int
	bias                    bool
	scale                   float64 // of scores, with every multiplier of the keys
}

// add appends the projections. Queries and keys make up for a scale other than
// that of their width: scores have the deviation 1.
func (a *attention) add(s scope, gain float64) {
	sharp := 1.0
	if a.scale > 0 {
		sharp = 1 / math.Sqrt(a.scale*math.Sqrt(float64(a.headDim)))
	}
	s.matrix("q_proj", a.heads*a.headDim, a.inputs, sharp, a.bias)
	s.matrix("k_proj", a.kvHeads*a.headDim, a.inputs, sharp, a.bias)
	s.matrix("v_proj", a.kvHeads*a.headDim, a.inputs, 1, a.bias)
	s.matrix("o_proj", a.outputs, a.heads*a.headDim, gain, a.bias)
}

// attention reads the sizes under the names that Hugging Face has for them in
// every family.
func (c *config) attention(hidden, heads, kvHeads int) *attention {
	a := &attention{inputs: hidden, outputs: hidden, heads: c.size("num_attention_heads", heads)}
	if kvHeads == 0 {
		kvHeads = a.heads
	}
	a.kvHeads = c.size("num_key_value_heads", kvHeads)
	c.whole("num_attention_heads", "the number of heads", a.heads, "KV heads", a.kvHeads)
	if c.has("head_dim") {
		a.headDim = c.size("head_dim", 1)
	} else {
		a.headDim = c.whole("hidden_size", "the hidden size", hidden, "heads", a.heads)
	}
	a.scale = 1 / math.Sqrt(float64(a.headDim))
	return a
}

// completeAttention derives KV heads, half as many as heads if that is whole,
// and where heads do not make up the hidden size in multiples of rotary, which
// pairs of turned elements ask for, a head dim that is one.
func (c *config) completeAttention(hidden, defaultHeads, rotary int) {
	heads := c.size("num_attention_heads", defaultHeads)
	c.setAbsent("num_attention_heads", heads)
	c.setAbsent("num_key_value_heads", divisor(heads, max(1, heads/2)))
	if hidden%(rotary*heads) != 0 {
		c.setAbsent("head_dim", roundUp((hidden+heads-1)/heads, rotary))
	}
}
