package family

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mambac/mambac/ir/eval"
)

// original is a model in the state-spaces layout, written down from families.md
// §1 to §5 alone, in float64 and over whole sequences: states are sums over all
// tokens before, and nothing is ours.
type original struct {
	f         fake
	layers    int
	centred   bool
	mixer     sequence
	attention sequence
	attended  []int
	mlp       bool
}

// sequence is what a mixer, whose tensors have the prefix, makes of the normed
// tokens.
type sequence func(f fake, prefix string, xs [][]float64) [][]float64

// vector is a tensor's numbers, however many axes it has.
func (f fake) vector(name string) []float64 { return slices.Concat(f.tensor(name)...) }

// affine is a matrix and, if it is stored, a bias.
func (f fake) affine(name string, x []float64) []float64 {
	y := times(f.tensor(name+".weight"), x)
	if _, ok := f[name+".bias"]; ok {
		y = plus(y, f.vector(name+".bias"))
	}
	return y
}

// cut makes slices of the given widths.
func cut(x []float64, widths ...int) (parts [][]float64) {
	for _, n := range widths {
		parts, x = append(parts, x[:n]), x[n:]
	}
	if len(x) > 0 {
		panic("BUG: a test cuts too little")
	}
	return parts
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func sigmoid(x float64) float64       { return 1 / (1 + math.Exp(-x)) }
func logOnePlusExp(x float64) float64 { return math.Log1p(math.Exp(x)) }

// rootMeanSquare norms slices of a width.
func rootMeanSquare(x []float64, width int) []float64 {
	var y []float64
	for part := range slices.Chunk(x, width) {
		scale := 1 / math.Sqrt(dot(part, part)/float64(width)+1e-5)
		for _, v := range part {
			y = append(y, v*scale)
		}
	}
	return y
}

func (o *original) norm(name string, x []float64) []float64 {
	w, y := o.f.vector(name+".weight"), slices.Clone(x)
	if !o.centred {
		for i, v := range rootMeanSquare(x, len(x)) {
			y[i] = v * w[i]
		}
		return y
	}
	mean, square := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
		square += v * v / float64(len(x))
	}
	b := o.f.vector(name + ".bias")
	for i, v := range x {
		y[i] = (v-mean)/math.Sqrt(square-mean*mean+1e-5)*w[i] + b[i]
	}
	return y
}

// convolved is a causal convolution with zeros before the sequence.
func (f fake) convolved(name string, xs [][]float64) [][]float64 {
	w, b := f.tensor(name+".weight"), make([]float64, len(xs[0]))
	if _, ok := f[name+".bias"]; ok {
		b = f.vector(name + ".bias")
	}
	ys := make([][]float64, len(xs))
	for t := range xs {
		ys[t] = slices.Clone(b)
		for c, taps := range w {
			for j, v := range taps {
				if at := t - len(taps) + 1 + j; at >= 0 {
					ys[t][c] += v * xs[at][c]
				}
			}
		}
	}
	return ys
}

// logits are those after every id.
func (o *original) logits(ids []int) [][]float64 {
	var xs [][]float64
	for _, id := range ids {
		xs = append(xs, o.f.tensor("backbone.embedding.weight")[id])
	}
	each := func(name string) [][]float64 {
		var ys [][]float64
		for _, x := range xs {
			ys = append(ys, o.norm(name, x))
		}
		return ys
	}
	for l := range o.layers {
		prefix := fmt.Sprintf("backbone.layers.%d.", l)
		mixer := o.mixer
		if slices.Contains(o.attended, l) {
			mixer = o.attention
		}
		for t, y := range mixer(o.f, prefix+"mixer.", each(prefix+"norm")) {
			xs[t] = plus(xs[t], y)
		}
		if !o.mlp {
			continue
		}
		for t, x := range each(prefix + "norm2") {
			y := times(o.f.tensor(prefix+"mlp.fc1.weight"), x)
			half := len(y) / 2
			for i := range half {
				y[i] *= silu(y[half+i])
			}
			xs[t] = plus(xs[t], times(o.f.tensor(prefix+"mlp.fc2.weight"), y[:half]))
		}
	}
	var rows [][]float64
	for _, x := range each("backbone.norm_f") {
		rows = append(rows, times(o.f.tensor("backbone.embedding.weight"), x))
	}
	return rows
}

// agree compares a model with the restatement.
func (o *original) agree(t *testing.T, config string, asked map[string]string) {
	t.Helper()
	r, err := importedWith(config, o.f, asked)
	if err != nil {
		t.Fatal(err)
	}
	ids := []int{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7}
	have := evaluated(t, r, ids)
	diff, scale := 0.0, 0.0
	for p, row := range o.logits(ids) {
		for i, want := range row {
			diff, scale = max(diff, math.Abs(float64(have[p][i])-want)), max(scale, math.Abs(want))
		}
	}
	if !(diff <= 3e-6*scale) || scale < 0.1 {
		t.Errorf("logits differ by %g of %g", diff, scale)
	}
}

// evaluated is the logits of the evaluator.
func evaluated(t *testing.T, r *Result, ids []int) [][]float32 {
	t.Helper()
	e, err := eval.New(r.Module)
	if err != nil {
		t.Fatal(err)
	}
	have, err := e.Run(ids)
	if err != nil {
		t.Fatal(err)
	}
	return have
}

// slowMamba1 is families.md §2.
func slowMamba1(f fake, prefix string, xs [][]float64) [][]float64 {
	a := f.tensor(prefix + "A_log")
	e, n, rank := len(a), len(a[0]), f[prefix+"dt_proj.weight"].Shape[1]
	var us, zs, deltas, bs, cs [][]float64
	for _, x := range xs {
		parts := cut(f.affine(prefix+"in_proj", x), e, e)
		us, zs = append(us, parts[0]), append(zs, parts[1])
	}
	us = f.convolved(prefix+"conv1d", us)
	for _, u := range us {
		for i, v := range u {
			u[i] = silu(v)
		}
		parts := cut(f.affine(prefix+"x_proj", u), rank, n, n)
		delta := f.affine(prefix+"dt_proj", parts[0])
		for i, v := range delta {
			delta[i] = logOnePlusExp(v)
		}
		deltas, bs, cs = append(deltas, delta), append(bs, parts[1]), append(cs, parts[2])
	}
	var out [][]float64
	for t := range xs {
		y := make([]float64, e)
		for i := range y {
			y[i] = f.vector(prefix + "D")[i] * us[t][i]
			for j := range n {
				passed := 0.0
				for s := t; s >= 0; s-- {
					y[i] += math.Exp(-math.Exp(a[i][j])*passed) * deltas[s][i] * us[s][i] * bs[s][j] * cs[t][j]
					passed += deltas[s][i]
				}
			}
			y[i] *= silu(zs[t][i])
		}
		out = append(out, f.affine(prefix+"out_proj", y))
	}
	return out
}

// slow2 is families.md §3 with the options of §5.1.
type slow2 struct {
	inner, groups, states, beside int
	low, high                     float64
	normed, normFirst, elementD   bool
}

func (o slow2) mix(f fake, prefix string, xs [][]float64) [][]float64 {
	heads, shared := len(f.vector(prefix+"A_log")), o.groups*o.states
	dim := o.inner / heads
	var beside, zs, convs, dts [][]float64
	for _, x := range xs {
		parts := cut(f.affine(prefix+"in_proj", x), o.beside, o.beside, o.inner, o.inner+2*shared, heads)
		m := make([]float64, o.beside)
		for i := range m {
			m[i] = silu(parts[0][i]) * parts[1][i]
		}
		beside, zs, convs, dts = append(beside, m), append(zs, parts[2]), append(convs, parts[3]), append(dts, parts[4])
	}
	convs = f.convolved(prefix+"conv1d", convs)
	for t := range convs {
		for i, v := range convs[t] {
			convs[t][i] = silu(v)
		}
		for h, v := range dts[t] {
			dts[t][h] = min(max(logOnePlusExp(v+f.vector(prefix + "dt_bias")[h]), o.low), o.high)
		}
	}
	a, d := f.vector(prefix+"A_log"), f.vector(prefix+"D")
	var out [][]float64
	for t := range xs {
		u, c := convs[t][:o.inner], convs[t][o.inner+shared:]
		y := make([]float64, o.inner)
		for i := range y {
			h := i / dim
			at := h * o.groups / heads * o.states
			y[i] = d[h] * u[i]
			if o.elementD {
				y[i] = d[i] * u[i]
			}
			passed := 0.0
			for s := t; s >= 0; s-- {
				b := convs[s][o.inner : o.inner+shared]
				y[i] += math.Exp(-math.Exp(a[h])*passed) * dts[s][h] * convs[s][i] * dot(b[at:at+o.states], c[at:at+o.states])
				passed += dts[s][h]
			}
		}
		out = append(out, f.affine(prefix+"out_proj", append(beside[t], o.gated(f, prefix, y, zs[t])...)))
	}
	return out
}

func (o slow2) gated(f fake, prefix string, y, z []float64) []float64 {
	gate := func(x []float64) []float64 {
		g := slices.Clone(x)
		for i := range g {
			g[i] *= silu(z[i])
		}
		return g
	}
	weighted := func(x []float64) []float64 {
		g := rootMeanSquare(x, o.inner/o.groups)
		for i, w := range f.vector(prefix + "norm.weight") {
			g[i] *= w
		}
		return g
	}
	switch {
	case !o.normed:
		return gate(y)
	case o.normFirst:
		return gate(weighted(y))
	}
	return weighted(gate(y))
}

// slow3 is families.md §4.
type slow3 struct {
	heads, dim, groups, states, rank, angles int
	floor                                    float64
	mimo, normed, halved, softplus           bool
}

// token3 is what one token brings to one head.
type token3 struct {
	delta, rate, trap float64
	k, q, v           [][]float64 // [R][N], [R][N], [R][P]
}

func (o slow3) mix(f fake, prefix string, xs [][]float64) [][]float64 {
	var tokens [][]token3 // by time and head
	var zs [][]float64
	theta := make([][]float64, o.heads)
	for h := range theta {
		theta[h] = make([]float64, o.angles)
	}
	for _, x := range xs {
		e, shared := o.heads*o.dim, o.rank*o.groups*o.states
		parts := cut(f.affine(prefix+"in_proj", x), e, e, shared, shared, o.heads, o.heads, o.heads, o.angles)
		zs = append(zs, parts[0])
		var heads []token3
		for h := range o.heads {
			heads = append(heads, o.token(f, prefix, h, parts[1:], theta[h]))
		}
		tokens = append(tokens, heads)
	}
	var out [][]float64
	for t := range xs {
		var all []float64
		for h := range o.heads {
			all = append(all, o.head(f, prefix, h, tokens[:t+1], zs[t][h*o.dim:(h+1)*o.dim])...)
		}
		out = append(out, times(f.tensor(prefix+"out_proj.weight"), all))
	}
	return out
}

// token advances the angles of a head. The parts are x, B, C, dt, a, trap and
// angle.
func (o slow3) token(f fake, prefix string, h int, parts [][]float64, theta []float64) token3 {
	a := parts[4][h]
	rate := -1 / (1 - a)
	if a >= 0 {
		rate = -(1 + a)
	}
	if o.softplus {
		rate = -logOnePlusExp(a)
	}
	k := token3{delta: logOnePlusExp(parts[3][h] + f.vector(prefix + "dt_bias")[h]), rate: min(rate, -o.floor), trap: sigmoid(parts[5][h])}
	for s, angle := range parts[6] {
		theta[s] += math.Pi * math.Tanh(angle) * k.delta
	}
	for r := range o.rank {
		at := (r*o.groups + h*o.groups/o.heads) * o.states
		bias := (h*o.rank + r) * o.states
		made := func(x []float64, name string) []float64 {
			y := rootMeanSquare(x[at:at+o.states], o.states)
			for n, w := range f.vector(prefix + name + "_norm.weight") {
				y[n] = y[n]*w + f.vector(prefix + name + "_bias")[bias+n]
			}
			return o.turn(y, theta)
		}
		v := slices.Clone(parts[0][h*o.dim : (h+1)*o.dim])
		if o.mimo {
			for p := range v {
				v[p] *= f.vector(prefix + "mimo_x")[(h*o.rank+r)*o.dim+p]
			}
		}
		k.k, k.q, k.v = append(k.k, made(parts[1], "B")), append(k.q, made(parts[2], "C")), append(k.v, v)
	}
	return k
}

func (o slow3) turn(x, theta []float64) []float64 {
	y := slices.Clone(x)
	for s, angle := range theta {
		i, j := 2*s, 2*s+1
		if o.halved {
			i, j = s, s+o.states/2
		}
		y[i], y[j] = x[i]*math.Cos(angle)-x[j]*math.Sin(angle), x[i]*math.Sin(angle)+x[j]*math.Cos(angle)
	}
	return y
}

// head is the output of a head after the last of the tokens.
func (o slow3) head(f fake, prefix string, h int, tokens [][]token3, z []float64) []float64 {
	now, out := tokens[len(tokens)-1][h], make([]float64, o.dim)
	for r := range o.rank {
		y := make([]float64, o.dim)
		for p := range y {
			y[p] = f.vector(prefix + "D")[h] * now.v[r][p]
		}
		decayed := 1.0
		for t := len(tokens) - 1; t >= 0; t-- {
			k := tokens[t][h]
			alpha := math.Exp(k.rate * k.delta)
			o.read(y, k, now.q[r], decayed*k.trap*k.delta)
			if t > 0 {
				o.read(y, tokens[t-1][h], now.q[r], decayed*(1-k.trap)*k.delta*alpha)
			}
			decayed *= alpha
		}
		if o.normed {
			y = rootMeanSquare(y, o.dim)
		}
		for p := range y {
			gate := z[p]
			if o.mimo {
				gate *= f.vector(prefix + "mimo_z")[(h*o.rank+r)*o.dim+p]
			}
			y[p] *= silu(gate)
			if o.normed {
				y[p] *= f.vector(prefix + "norm.weight")[h*o.dim+p]
			}
			if o.mimo {
				y[p] *= f.vector(prefix + "mimo_o")[(h*o.rank+r)*o.dim+p]
			}
			out[p] += y[p]
		}
	}
	return out
}

// read adds what a token left, seen by a query.
func (o slow3) read(y []float64, k token3, q []float64, by float64) {
	for r := range o.rank {
		for p := range y {
			y[p] += by * k.v[r][p] * dot(k.k[r], q)
		}
	}
}

// slowMHA is families.md §5.2.
type slowMHA struct {
	heads, kv, dim, mlp, turned int
	base, scale                 float64
	interleaved                 bool
}

func (o slowMHA) mix(f fake, prefix string, xs [][]float64) [][]float64 {
	queries, keys := o.heads*o.dim, o.kv*o.dim
	var qkv, rest [][]float64
	for _, x := range xs {
		parts := cut(f.affine(prefix+"in_proj", x), queries+2*keys, o.mlp/2, o.mlp/2)
		m := make([]float64, o.mlp/2)
		for i := range m {
			m[i] = parts[1][i] * silu(parts[2][i])
		}
		qkv, rest = append(qkv, parts[0]), append(rest, m)
	}
	if _, ok := f[prefix+"conv1d.weight"]; ok {
		qkv = f.convolved(prefix+"conv1d", qkv)
	}
	var out [][]float64
	for t := range xs {
		var y []float64
		for h := range o.heads {
			q := o.turn(qkv[t][h*o.dim:(h+1)*o.dim], t)
			at := queries + h*o.kv/o.heads*o.dim
			mixed, sum := make([]float64, o.dim), 0.0
			for s := range t + 1 {
				e := math.Exp(o.scale * dot(q, o.turn(qkv[s][at:at+o.dim], s)))
				sum += e
				for i, v := range qkv[s][at+keys : at+keys+o.dim] {
					mixed[i] += e * v
				}
			}
			for _, v := range mixed {
				y = append(y, v/sum)
			}
		}
		out = append(out, f.affine(prefix+"out_proj", append(y, rest[t]...)))
	}
	return out
}

func (o slowMHA) turn(x []float64, t int) []float64 {
	y := slices.Clone(x)
	for i := range o.turned / 2 {
		a, b := i, i+o.turned/2
		if o.interleaved {
			a, b = 2*i, 2*i+1
		}
		angle := float64(t) / math.Pow(o.base, float64(2*i)/float64(o.turned))
		y[a], y[b] = x[a]*math.Cos(angle)-x[b]*math.Sin(angle), x[b]*math.Cos(angle)+x[a]*math.Sin(angle)
	}
	return y
}
