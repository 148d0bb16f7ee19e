package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// Conv is the causal depthwise convolution over a run of tokens for a run of
// groups of 16 channels, window carried: acc ← fma(w[j], x[t−K+1+j], acc) in
// ascending j from 0, then + bias, then the activation.
type Conv struct {
	Taps             int
	Channels         int // row stride of w and window
	StrideX, StrideY int
	Bias             bool
	Activation       string // "" or silu
}

// Cases implements Kernel; x is y in half of those that allow it.
func (k Conv) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for i, n := range counts(k.Channels, k.StrideX, k.StrideY) {
			for j, f := range flavours {
				if !yield(k.newCase(n, f, k.StrideX == k.StrideY && (i+j)%2 == 1)) {
					return
				}
			}
		}
	}
}

// count is the size of a call of a channel-wise kernel.
type count struct{ groups, tokens int }

// counts varies groups and tokens; rows of so many elements must hold the
// groups' channels.
func counts(strides ...int) []count {
	all := math.MaxInt
	for _, s := range strides {
		all = min(all, s/groupChannels)
	}
	list := []count{{0, 3}, {1, 0}}
	for i, tokens := range []int{1, 2, 3, 7, 8, 9, 17} {
		list = append(list, count{min(all, 1+i%3), tokens})
	}
	return append(list, count{min(all, 7), 2})
}

func (k Conv) axes() []axis {
	return []axis{
		{"tokens", map[string]int{"y": k.StrideY, "x": k.StrideX}},
		{"groups", map[string]int{
			"y": groupChannels, "x": groupChannels, "w": groupChannels, "bias": groupChannels, "window": groupChannels,
		}},
	}
}

func (k Conv) newCase(n count, f flavour, aliased bool) *Case {
	c := &Case{Name: fmt.Sprintf("groups=%d/tokens=%d/%s/aliased=%v", n.groups, n.tokens, f, aliased), kernel: k}
	v := newValues(c.Name, f)
	width := n.groups * groupChannels
	y, x := v.f32(rows(n.tokens, k.StrideY, width)), v.f32(rows(n.tokens, k.StrideX, width))
	c.inputs = []input{{"y", y}, {"x", x}}
	if aliased {
		y = x
		c.inputs = []input{{"y", x}, {"x", alias("y")}}
	}
	w, bias, window := v.f32(rows(k.Taps, k.Channels, width)), v.f32(width), v.f32(rows(k.Taps-1, k.Channels, width))
	c.inputs = append(c.inputs, input{"w", w})
	if k.Bias {
		c.inputs = append(c.inputs, input{"bias", bias})
	}
	c.inputs = append(c.inputs, input{"window", window}, input{"groups", n.groups}, input{"tokens", n.tokens})
	return c.expect(outputs{"y": y, "window": window}, func(want outcomes) {
		k.fill(want["y"], want["window"], n.tokens, x, w, bias, window)
	})
}

// fill says what y and the window must hold.
func (k Conv) fill(out, after *outcome, tokens int, x, w, bias, window []float32) {
	for ch := range bias {
		inputs := k.channel(x, window, ch, tokens)
		for t := range tokens {
			s := &chain{}
			for j := range k.Taps {
				s.fma(w[j*k.Channels+ch], inputs[t+j])
			}
			if k.Bias {
				s.add(bias[ch])
			}
			k.activate(out, t*k.StrideY+ch, s)
		}
		for j := range k.Taps - 1 {
			after.exact(j*k.Channels+ch, inputs[tokens+j])
		}
	}
}

// channel is all inputs of a channel in order, the window's first.
func (k Conv) channel(x, window []float32, ch, tokens int) []float32 {
	var list []float32
	for j := range k.Taps - 1 {
		list = append(list, window[j*k.Channels+ch])
	}
	for t := range tokens {
		list = append(list, x[t*k.StrideX+ch])
	}
	return list
}

func (k Conv) activate(out *outcome, i int, s *chain) {
	if k.Activation == "" {
		out.set(i, s.sum, 0, s.looseBound())
		return
	}
	value, bound := silu(float64(s.sum))
	// The slope of silu is below 1.1.
	out.set(i, float32(value), bound, bound+1.1*s.looseBound())
}
