package kernel

import "fmt"

// Conv is the causal depthwise convolution over a run of tokens for a run of
// groups of 16 channels (families.md §1.5), with the window carried.
//
//	y[t,c] = act( Σ_j w[j,c]·x[t−K+1+j, c] + b[c] )     j = 0 … K−1
//
// The chain is acc = 0, fma in ascending j, then + bias. Token t of x and y is
// at t·StrideX and t·StrideY; row j of w at j·Channels; row j of the window
// (the input of token j−K+1 before this call) at j·Channels; Channels is the
// padded number of channels of the layer. All slices start at the first
// channel of the first group. The window is left holding the last K−1 inputs.
// y may alias x where the strides are equal.
type Conv struct {
	Taps       int // K, the conv kernel
	Channels   int // padded: row stride of w and window
	StrideX    int
	StrideY    int
	Bias       bool
	Activation Activation
}

// Activation is an element-wise function fused into a kernel.
type Activation string

// The activations that kernels fuse.
const (
	NoActivation Activation = ""
	SiLU         Activation = "silu"
)

// Kind implements Spec.
func (Conv) Kind() string { return "conv" }

// Name implements Spec.
func (c Conv) Name() string {
	s := fmt.Sprintf("conv_t%d_c%d_sx%d_sy%d", c.Taps, c.Channels, c.StrideX, c.StrideY)
	if c.Bias {
		s += "_bias"
	}
	if c.Activation != NoActivation {
		s += "_" + string(c.Activation)
	}
	return s
}

// Signature implements Spec: (y, x, w, [bias], window, groups, tokens).
func (c Conv) Signature() []Param {
	p := []Param{{"y", "[]float32"}, {"x", "[]float32"}, {"w", "[]float32"}}
	if c.Bias {
		p = append(p, Param{"bias", "[]float32"})
	}
	return append(p, Param{"window", "[]float32"}, Param{"groups", "int"}, Param{"tokens", "int"})
}

// Cost implements Spec; a unit is a group.
func (c Conv) Cost(units, tokens int) Cost {
	n := units * GroupChannels
	return Cost{
		WeightBytes: 4 * n * (c.Taps + 1),
		StateBytes:  2 * 4 * n * (c.Taps - 1),
		Flops:       n * tokens * (2*c.Taps + 5),
	}
}

func init() { register(Conv{}) }
