package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// SSD is the scan of Mamba-2 over a run of tokens for a run of heads, recurrence
// carried: per token and head Δ = softplus(dt + bias) between its bounds; per
// element q = Δ·u, acc = d·u, and per state h = fma(exp(a·Δ), h, q·B),
// acc = fma(h, C, acc).
type SSD struct {
	HeadDim, States, PerGroup           int
	StrideU, StrideBC, OffsetB, OffsetC int
	StrideD, StrideY                    int
	LowBits, HighBits                   uint32
	Elements                            bool
}

// headCount is the size of a call of a kernel of heads.
type headCount struct{ first, heads, tokens int }

// headCounts varies heads and tokens; a row has room for so many heads.
func headCounts(most int) []headCount {
	list := []headCount{{0, 0, 3}, {1, 1, 0}}
	for i, tokens := range []int{1, 2, 3, 8, 17} {
		list = append(list, headCount{i % 3, min(most, 1+i%3), tokens})
	}
	return append(list, headCount{0, min(most, 5), 1})
}

// Cases implements Kernel; y is u in some.
func (s SSD) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for i, n := range headCounts(min(s.StrideU/s.HeadDim, s.StrideY/s.HeadDim, s.StrideD)) {
			for j, f := range append(flavours, stiff) {
				if !yield(s.newCase(n, f, s.StrideU == s.StrideY && (i+j)%2 == 1)) {
					return
				}
			}
		}
	}
}

func (s SSD) axes() []axis {
	perD := 1
	if s.Elements {
		perD = s.HeadDim
	}
	return []axis{
		{"tokens", map[string]int{"y": s.StrideY, "u": s.StrideU, "dt": s.StrideD, "bc": s.StrideBC}},
		{"heads", map[string]int{"y": s.HeadDim, "u": s.HeadDim, "dt": 1, "a": 1, "dtBias": 1, "d": perD,
			"h": padGroup(s.HeadDim) * s.States, "first": 1}},
	}
}

// padGroup is n rounded up to whole groups of channels.
func padGroup(n int) int { return (n + groupChannels - 1) / groupChannels * groupChannels }

func (s SSD) newCase(n headCount, f flavour, aliased bool) *Case {
	c := &Case{Name: fmt.Sprintf("first=%d/heads=%d/tokens=%d/%s/aliased=%v", n.first, n.heads, n.tokens, f, aliased), kernel: s}
	args := s.arguments(newValues(c.Name, f), n)
	alias := ""
	if aliased {
		alias = "u"
	}
	c.inputs = argumentInputs(args, alias, "y", "u", "bc", "dt", "a", "dtBias", "d", "h")
	row := 2*padGroup(s.HeadDim) + groupChannels
	c.inputs = append(c.inputs, input{scratch, make([]float32, row*n.tokens)},
		input{"first", n.first}, input{"heads", n.heads}, input{"tokens", n.tokens})
	return c.expect(outputs{"y": c.inputs[0].value.([]float32), "h": args["h"]}, func(want outcomes) {
		out, after := want["y"], want["h"]
		for i := range n.heads {
			s.head(args, n, i, out, after)
		}
	})
}

func (s SSD) arguments(v *values, n headCount) map[string][]float32 {
	width, groups := n.heads*s.HeadDim, (n.first+n.heads+s.PerGroup-1)/s.PerGroup
	args := map[string][]float32{
		"y":      v.f32(rows(n.tokens, s.StrideY, width)),
		"u":      v.f32(rows(n.tokens, s.StrideU, width)),
		"bc":     v.f32(rows(n.tokens, s.StrideBC, max(s.OffsetB, s.OffsetC)+groups*s.States)),
		"dt":     v.f32(rows(n.tokens, s.StrideD, n.heads)),
		"a":      v.decays(n.heads),
		"dtBias": v.tame(n.heads),
		"d":      v.f32(n.heads),
		"h":      v.f32(n.heads * padGroup(s.HeadDim) * s.States),
	}
	if s.Elements {
		args["d"] = v.f32(width)
	}
	return args
}

// head follows one head through the tokens with numbers that know how far off
// float32 code may be.
func (s SSD) head(args map[string][]float32, n headCount, i int, out, after *outcome) {
	h := newHeadState(args["h"], s.HeadDim, s.States, i)
	group := (n.first + i) / s.PerGroup * s.States
	for t := range n.tokens {
		delta := s.delta(args["dt"][t*s.StrideD+i], args["dtBias"][i])
		decay := delta.times(exactly(args["a"][i])).exp()
		bc := args["bc"][t*s.StrideBC:]
		for p := range s.HeadDim {
			e := i*s.HeadDim + p
			d := args["d"][i]
			if s.Elements {
				d = args["d"][e]
			}
			u := exactly(args["u"][t*s.StrideU+e])
			q, y := delta.times(u), exactly(d).times(u)
			for j := range s.States {
				state := decay.times(h.at(p, j)).plus(q.times(exactly(bc[s.OffsetB+group+j])))
				h.put(p, j, state)
				y = y.plus(state.times(exactly(bc[s.OffsetC+group+j])))
			}
			out.near(t*s.StrideY+e, y.value, y.err)
		}
	}
	if n.tokens > 0 {
		h.expect(after)
	}
}

// delta is Δ of a raw dt. The addition is a plain float32 one: all code gives
// the same bits.
func (s SSD) delta(dt, bias float32) number {
	delta := exactly(dt+bias).apply(softplus, 1)
	if low := float64(math.Float32frombits(s.LowBits)); delta.value < low {
		delta.value = low
	}
	if high := float64(math.Float32frombits(s.HighBits)); high > 0 && delta.value > high {
		delta.value = high
	}
	return delta
}

// headState is the state of a head: per 16 of its rows, a row of 16 lanes for
// every column.
type headState struct {
	first, dim, columns int
	numbers             []number
}

func newHeadState(h []float32, dim, columns, head int) *headState {
	s := &headState{first: head * padGroup(dim) * columns, dim: dim, columns: columns}
	for _, v := range h[s.first:][:padGroup(dim)*columns] {
		s.numbers = append(s.numbers, exactly(v))
	}
	return s
}

func (s *headState) index(p, n int) int {
	return p/groupChannels*groupChannels*s.columns + n*groupChannels + p%groupChannels
}

func (s *headState) at(p, n int) number { return s.numbers[s.index(p, n)] }

func (s *headState) put(p, n int, v number) { s.numbers[s.index(p, n)] = v }

// expect says what the state must be; lanes past the head's rows may hold
// anything.
func (s *headState) expect(after *outcome) {
	for p := range padGroup(s.dim) {
		for n := range s.columns {
			i := s.index(p, n)
			bound := s.numbers[i].err
			if p >= s.dim {
				bound = math.Inf(1)
			}
			after.near(s.first+i, s.numbers[i].value, bound)
		}
	}
}
