package kerneltest

import (
	"fmt"
	"iter"
	"math"
)

// Mamba3Prepare makes ready what Mamba3 wants of each token and head, and moves
// on the angles, the keys and the values of its state.
type Mamba3Prepare struct {
	HeadDim, States, Rank, Angles int
	Groups, PerGroup              int
	StrideReady, StrideX          int
	StrideB, StrideC              int
	StrideD, StrideA, StrideT     int
	StrideAngle                   int
	FloorBits                     uint32
	Halved, Softplus, Mimo        bool
}

// Cases implements Kernel; a program feeds it nothing that is not finite unless
// all is lost.
func (m Mamba3Prepare) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		most := min(m.StrideReady/m.ready().floats(), m.StrideX/m.HeadDim, m.StrideD, m.StrideA, m.StrideT)
		for _, n := range headCounts(most) {
			for _, f := range []flavour{plain, wide, stiff} {
				n.first = min(n.first, m.Groups*m.PerGroup-n.heads)
				if !yield(m.newCase(n, f)) {
					return
				}
			}
		}
	}
}

func (m Mamba3Prepare) ready() mamba3Ready { return mamba3Ready{m.HeadDim, m.States, m.Rank} }

func (m Mamba3Prepare) axes() []axis {
	return []axis{
		{"tokens", map[string]int{"ready": m.StrideReady, "x": m.StrideX, "b": m.StrideB, "c": m.StrideC,
			"dt": m.StrideD, "a": m.StrideA, "trap": m.StrideT, "angle": m.StrideAngle}},
		{"heads", map[string]int{"ready": m.ready().floats(), "x": m.HeadDim, "dt": 1, "a": 1, "trap": 1, "dtBias": 1, "d": 1,
			"biasB": m.Rank * m.States, "biasC": m.Rank * m.States, "mimo": m.Rank * m.HeadDim,
			"theta": m.Angles, "k": m.Rank * m.States, "v": m.HeadDim, "first": 1}},
	}
}

func (m Mamba3Prepare) newCase(n headCount, f flavour) *Case {
	c := &Case{Name: fmt.Sprintf("first=%d/heads=%d/tokens=%d/%s", n.first, n.heads, n.tokens, f), kernel: m}
	v := newValues(c.Name, f)
	shared := m.Rank * m.Groups * m.States
	list := []struct {
		name string
		n    int
	}{
		{"ready", rows(n.tokens, m.StrideReady, n.heads*m.ready().floats())}, {"x", rows(n.tokens, m.StrideX, n.heads*m.HeadDim)},
		{"b", rows(n.tokens, m.StrideB, shared)}, {"c", rows(n.tokens, m.StrideC, shared)}, {"dt", rows(n.tokens, m.StrideD, n.heads)},
		{"a", rows(n.tokens, m.StrideA, n.heads)}, {"trap", rows(n.tokens, m.StrideT, n.heads)}, {"angle", rows(n.tokens, m.StrideAngle, m.Angles)},
		{"dtBias", n.heads}, {"biasB", n.heads * m.Rank * m.States}, {"biasC", n.heads * m.Rank * m.States}, {"d", n.heads},
		{"mimo", n.heads * m.Rank * m.HeadDim}, {"theta", n.heads * m.Angles}, {"k", n.heads * m.Rank * m.States}, {"v", n.heads * m.HeadDim},
	}
	args := map[string][]float32{}
	for _, a := range list {
		args[a.name] = v.f32(a.n)
		if m.Mimo || a.name != "mimo" {
			c.inputs = append(c.inputs, input{a.name, args[a.name]})
		}
	}
	pairs := (m.States + 1) / 2
	c.inputs = append(c.inputs, input{scratch, make([]float32, 2*padGroup(pairs))}, input{"first", n.first}, input{"heads", n.heads}, input{"tokens", n.tokens})
	written := outputs{"ready": args["ready"], "theta": args["theta"], "k": args["k"], "v": args["v"]}
	return c.expect(written, func(want outcomes) {
		for i := range n.heads {
			(&mamba3Head{Mamba3Prepare: m, args: args, want: want, i: i, group: (n.first + i) / m.PerGroup}).run(n.tokens)
		}
	})
}

// mamba3Head follows one head through the tokens with numbers that know how far
// off float32 code may be.
type mamba3Head struct {
	Mamba3Prepare
	args     map[string][]float32
	want     outcomes
	i, group int
	theta, k []number
}

// circle is 2π.
const circle = 2 * math.Pi

func (h *mamba3Head) run(tokens int) {
	for _, v := range h.args["theta"][h.i*h.Angles:][:h.Angles] {
		h.theta = append(h.theta, exactly(v))
	}
	for _, v := range h.args["k"][h.i*h.Rank*h.States:][:h.Rank*h.States] {
		h.k = append(h.k, exactly(v))
	}
	v := h.args["v"][h.i*h.HeadDim:]
	for t := range tokens {
		h.token(t, v)
		v = h.args["x"][t*h.StrideX+h.i*h.HeadDim:]
	}
	if tokens == 0 {
		return
	}
	for s, angle := range h.theta {
		bound := angle.err
		if angle.value < bound || angle.value > circle-bound {
			bound = math.Inf(1) // the other end of the circle
		}
		h.want["theta"].near(h.i*h.Angles+s, angle.value, bound)
	}
	for j, k := range h.k {
		h.want["k"].near(h.i*h.Rank*h.States+j, k.value, k.err)
	}
	for p := range h.HeadDim {
		h.want["v"].exact(h.i*h.HeadDim+p, v[p])
	}
}

// scalar is an argument with one value for each head.
func (h *mamba3Head) scalar(name string, stride, t int) float32 { return h.args[name][t*stride+h.i] }

// set says what an element of the row of a token must be.
func (h *mamba3Head) set(t, at int, v number) {
	h.want["ready"].near(t*h.StrideReady+h.i*h.ready().floats()+at, v.value, v.err)
}

// token makes the row of a token; last is v.
func (h *mamba3Head) token(t int, last []float32) {
	delta := exactly(h.scalar("dt", h.StrideD, t)+h.args["dtBias"][h.i]).apply(softplus, 1)
	h.turn(t, delta)
	decay := h.rate(exactly(h.scalar("a", h.StrideA, t))).times(delta).exp()
	lambda := exactly(h.scalar("trap", h.StrideT, t)).apply(sigmoid, 1)
	before := exactly(1).plus(lambda.negative()).times(delta).times(decay)
	now, at := lambda.times(delta), h.ready()
	for i := range at.decay() {
		h.set(t, i, number{})
	}
	h.set(t, at.decay(), decay)
	x := h.args["x"][t*h.StrideX+h.i*h.HeadDim:]
	for r := range h.Rank {
		for p := range h.HeadDim {
			in, past := exactly(x[p]), exactly(last[p])
			if h.Mimo {
				m := exactly(h.args["mimo"][(h.i*h.Rank+r)*h.HeadDim+p])
				in, past = in.times(m), past.times(m)
			}
			h.set(t, at.input(r)+p, before.times(past))
			h.set(t, at.input(h.Rank+r)+p, now.times(in))
			h.set(t, at.skip(r)+p, exactly(h.args["d"][h.i]).times(in))
		}
		kept := h.k[r*h.States:][:h.States]
		key := h.rotated("b", "biasB", h.StrideB, t, r)
		query := h.rotated("c", "biasC", h.StrideC, t, r)
		for n := range h.States {
			h.set(t, at.key(r)+n, kept[n])
			h.set(t, at.key(h.Rank+r)+n, key[n])
			h.set(t, at.query(r)+n, query[n])
		}
		copy(kept, key)
	}
}

// turn moves the angles on.
func (h *mamba3Head) turn(t int, delta number) {
	tanh := func(x float64) (value, bound float64) { return math.Tanh(x), functionError }
	for s := range h.theta {
		by := number{value: math.Pi}.times(exactly(h.args["angle"][t*h.StrideAngle+s]).apply(tanh, 1)).times(delta)
		to := h.theta[s].plus(by)
		if circles := math.Floor(to.value / circle); circles != 0 {
			to = to.plus(number{value: -circle * circles}).rounded() // code takes 2π off in two parts
		}
		h.theta[s] = to
	}
}

// rate is A of a raw a.
func (h *mamba3Head) rate(a number) number {
	rate := number{value: math.Max(a.value, 0)}.plus(exactly(1).over(exactly(1).plus(number{value: -math.Min(a.value, 0)}))).negative()
	if h.Softplus {
		rate = a.apply(softplus, 1).negative()
	}
	rate.value = min(rate.value, -float64(math.Float32frombits(h.FloorBits)))
	return rate
}

// rotated is the key or the query of a rank.
func (h *mamba3Head) rotated(name, bias string, stride, t, r int) []number {
	in := h.args[name][t*stride+(r*h.Groups+h.group)*h.States:]
	out := make([]number, h.States)
	for n := range out {
		out[n] = exactly(in[n]).plus(exactly(h.args[bias][(h.i*h.Rank+r)*h.States+n]))
	}
	for s, angle := range h.theta {
		i, j := 2*s, 2*s+1
		if h.Halved {
			i, j = s, s+h.States/2
		}
		sin := angle.apply(func(x float64) (value, bound float64) { return math.Sin(x), functionError }, 1)
		cos := angle.apply(func(x float64) (value, bound float64) { return math.Cos(x), functionError }, 1)
		a, b := out[i], out[j]
		out[i], out[j] = a.times(cos).plus(b.times(sin).negative()), a.times(sin).plus(b.times(cos))
	}
	return out
}
