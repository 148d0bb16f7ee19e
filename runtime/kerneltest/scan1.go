package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// Scan1 is the selective scan of Mamba-1 over a run of tokens for a run of
// groups of 16 channels, recurrence carried: per token and channel
// q = Δ·u, r = Δ·log₂e; per state h = fma(2^(r·a), h, q·B),
// acc = fma(h, C, acc); then y = fma(d, u, acc), times silu(z) with Gate.
type Scan1 struct {
	States                             int
	StrideU, StrideD, StrideZ, StrideY int
	StrideBC, OffsetB, OffsetC         int
	Softplus, Gate                     bool
}

// Cases implements Kernel; y is one of u, dt, z in some.
func (s Scan1) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		strides := []int{s.StrideU, s.StrideD, s.StrideY}
		aliases := []string{""}
		if s.StrideU == s.StrideY {
			aliases = append(aliases, "u")
		}
		if s.StrideD == s.StrideY {
			aliases = append(aliases, "dt")
		}
		if s.Gate {
			strides = append(strides, s.StrideZ)
			if s.StrideZ == s.StrideY {
				aliases = append(aliases, "z")
			}
		}
		for i, n := range counts(strides...) {
			for j, f := range append(flavours, stiff) {
				if !yield(s.newCase(n, f, aliases[(i+j)%len(aliases)])) {
					return
				}
			}
		}
	}
}

func (s Scan1) axes() []axis {
	return []axis{
		{"tokens", map[string]int{"y": s.StrideY, "u": s.StrideU, "dt": s.StrideD, "z": s.StrideZ, "bc": s.StrideBC}},
		{"groups", map[string]int{
			"y": groupChannels, "u": groupChannels, "dt": groupChannels, "z": groupChannels,
			"a": groupChannels * s.States, "h": groupChannels * s.States, "d": groupChannels, "dtBias": groupChannels,
		}},
	}
}

func (s Scan1) newCase(n count, f flavour, aliased string) *Case {
	c := &Case{Name: fmt.Sprintf("groups=%d/tokens=%d/%s/y=%s", n.groups, n.tokens, f, aliased), kernel: s}
	width := n.groups * groupChannels
	args := s.arguments(newValues(c.Name, f), n, width)
	names := []string{"y", "u", "dt"}
	if s.Gate {
		names = append(names, "z")
	}
	names = append(names, "bc", "a", "d")
	if s.Softplus {
		names = append(names, "dtBias")
	}
	c.inputs = argumentInputs(args, aliased, append(names, "h")...)
	c.inputs = append(c.inputs, input{scratch, make([]float32, 3*groupChannels*n.tokens)}, input{"groups", n.groups}, input{"tokens", n.tokens})
	return c.expect(outputs{"y": c.inputs[0].value.([]float32), "h": args["h"]}, func(want outcomes) {
		out, after := want["y"], want["h"]
		for e := range width {
			s.channel(args, e, n.tokens, out, after)
		}
	})
}

func (s Scan1) arguments(v *values, n count, width int) map[string][]float32 {
	args := map[string][]float32{
		"y":      v.f32(rows(n.tokens, s.StrideY, width)),
		"u":      v.f32(rows(n.tokens, s.StrideU, width)),
		"dt":     v.f32(rows(n.tokens, s.StrideD, width)),
		"z":      v.f32(rows(n.tokens, s.StrideZ, width)),
		"bc":     v.f32(rows(n.tokens, s.StrideBC, max(s.OffsetB, s.OffsetC)+s.States)),
		"a":      v.decays(width * s.States),
		"d":      v.f32(width),
		"dtBias": v.tame(width),
		"h":      v.f32(width * s.States),
	}
	if !s.Softplus {
		for i, dt := range args["dt"] {
			args["dt"][i] = float32(math.Abs(float64(dt)))
		}
	}
	return args
}

// channel follows one channel through the tokens with numbers that know how
// far off float32 code may be.
func (s Scan1) channel(args map[string][]float32, e, tokens int, out, after *outcome) {
	first := e/groupChannels*groupChannels*s.States + e%groupChannels
	h := make([]number, s.States)
	for n := range h {
		h[n] = exactly(args["h"][first+n*groupChannels])
	}
	for t := range tokens {
		bc := args["bc"][t*s.StrideBC:]
		u := exactly(args["u"][t*s.StrideU+e])
		delta := exactly(args["dt"][t*s.StrideD+e])
		if s.Softplus {
			// A plain float32 addition: all code gives the same bits.
			delta = exactly(float32(delta.value)+args["dtBias"][e]).apply(softplus, 1)
		}
		q, r, y := delta.times(u), delta.times(log2e), number{}
		for n := range h {
			decay := r.times(exactly(args["a"][first+n*groupChannels])).exp2()
			h[n] = decay.times(h[n]).plus(q.times(exactly(bc[s.OffsetB+n])))
			y = y.plus(h[n].times(exactly(bc[s.OffsetC+n])))
		}
		y = y.plus(u.times(exactly(args["d"][e])))
		if s.Gate {
			y = y.times(exactly(args["z"][t*s.StrideZ+e]).apply(silu, 1.1))
		}
		out.near(t*s.StrideY+e, y.value, y.err)
	}
	if tokens > 0 {
		for n := range h {
			after.near(first+n*groupChannels, h[n].value, h[n].err)
		}
	}
}
