package family

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/tensor"
)

// slow computes models as families.md writes them down, in float64 and
// without anything of ir: scans by the sum over all earlier tokens, convs and
// attention over all that was ever seen.
type slow struct {
	t       *testing.T
	stored  Tensors
	config  settings
	past    map[string][]vector // of every layer, by what it is and its prefix
	weights map[string]matrix
	at      int // position of the token
}

type vector = []float64

// matrix is a tensor as rows of its last axis.
type matrix []vector

// settings is a config.json.
type settings map[string]any

func (s settings) int(name string) int { return int(s[name].(float64)) }

func (s settings) number(name string, fallback float64) float64 {
	if v, ok := s[name].(float64); ok {
		return v
	}
	return fallback
}

func (s settings) flag(name string) bool { v, _ := s[name].(bool); return v }

func (s settings) text(name, fallback string) string {
	if v, ok := s[name].(string); ok {
		return v
	}
	return fallback
}

func (s settings) words(name string) (list []string) {
	for _, w := range s[name].([]any) {
		list = append(list, w.(string))
	}
	return list
}

func (s settings) numbers(name string, n int, fallback float64) (list vector) {
	given, _ := s[name].([]any)
	for i := range n {
		if given == nil {
			list = append(list, fallback)
			continue
		}
		list = append(list, given[i].(float64))
	}
	return list
}

// parseSettings reads a config that JSON can hold.
func parseSettings(t *testing.T, config string) settings {
	t.Helper()
	var s settings
	if err := json.Unmarshal([]byte(config), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// rows is a tensor.
func (r *slow) rows(name string) matrix {
	if m, ok := r.weights[name]; ok {
		return m
	}
	x, ok := r.stored.Find(name)
	if !ok {
		r.t.Fatalf("no tensor %s", name)
	}
	values := make([]float32, x.Shape.Elements())
	if err := x.Source.ReadRows(values, 0, x.Shape.Rows()); err != nil {
		r.t.Fatal(err)
	}
	width := x.Shape[len(x.Shape)-1]
	m := make(matrix, len(values)/width)
	for i, v := range values {
		m[i/width] = append(m[i/width], float64(v))
	}
	r.weights[name] = m
	return m
}

// row is a tensor of one axis.
func (r *slow) row(name string) (list vector) {
	for _, v := range r.rows(name) {
		list = append(list, v...)
	}
	return list
}

// linear multiplies by prefix.weight and adds prefix.bias if there is one.
func (r *slow) linear(prefix string, x vector) vector {
	y := r.rows(prefix + ".weight").times(x)
	if _, ok := r.stored.Find(prefix + ".bias"); ok {
		y = plus(y, r.row(prefix+".bias"))
	}
	return y
}

func (m matrix) times(x vector) vector {
	y := make(vector, len(m))
	for i, row := range m {
		for j, w := range row {
			y[i] += w * x[j]
		}
	}
	return y
}

func product(a, b vector) vector { return pairwise(a, b, func(x, y float64) float64 { return x * y }) }

func pairwise(a, b vector, f func(x, y float64) float64) vector {
	y := make(vector, len(a))
	for i := range a {
		y[i] = f(a[i], b[i])
	}
	return y
}

func mapped(x vector, f func(float64) float64) vector {
	return pairwise(x, x, func(v, _ float64) float64 { return f(v) })
}

func scaledBy(k float64, x vector) vector { return mapped(x, func(v float64) float64 { return k * v }) }

// cutAt splits x into parts of the widths given, which must be all of it.
func cutAt(x vector, widths ...int) (parts []vector) {
	for _, n := range widths {
		parts, x = append(parts, x[:n]), x[n:]
	}
	if len(x) > 0 {
		panic(fmt.Sprintf("%d elements are left", len(x)))
	}
	return parts
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// functions are the activations (families.md §1.6).
var functions = map[string]func(float64) float64{
	"silu":              silu,
	"gelu":              func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 },
	"gelu_pytorch_tanh": func(x float64) float64 { return x * logistic(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)) },
	"relu":              func(x float64) float64 { return math.Max(x, 0) },
	"relu2": func(x float64) float64 {
		if x < 0 {
			return 0
		}
		return x * x
	},
}

// rmsOf norms slices of x of the given width.
func rmsOf(x, w vector, eps float64, width int) (y vector) {
	for at := 0; at < len(x); at += width {
		mean := 0.0
		for _, v := range x[at : at+width] {
			mean += v * v / float64(width)
		}
		y = append(y, scaledBy(math.Pow(mean+eps, -0.5), x[at:at+width])...)
	}
	return product(y, w)
}

func (r *slow) norm(name string, x vector, eps float64) vector {
	return rmsOf(x, r.row(name+".weight"), eps, len(x))
}

// remember appends to what a layer has seen and returns all of it.
func (r *slow) remember(name string, x vector) []vector {
	r.past[name] = append(r.past[name], x)
	return r.past[name]
}

// scanning is what families say of their Mamba-2 mixers.
type scanning struct {
	inner, heads, groups, states int
	activation                   string
	low, high                    float64
	norm                         string // "", "A", "B", "C" as in families.md §1.4
	eps                          float64
	multipliers                  vector // of z, x, B, C and dt
}

// mamba2 is families.md §3.
func (r *slow) mamba2(prefix string, x vector, m scanning) vector {
	shared := m.groups * m.states
	v := cutAt(r.linear(prefix+"in_proj", x), m.inner, m.inner, shared, shared, m.heads)
	for i, k := range m.multipliers {
		v[i] = scaledBy(k, v[i])
	}
	xBC := r.conv(prefix, append(append(append(vector{}, v[1]...), v[2]...), v[3]...), functions[m.activation])
	u := cutAt(xBC, m.inner, shared, shared)
	y := r.ssd(prefix, u[0], u[1], u[2], v[4], m)
	z := mapped(v[0], silu)
	switch width := m.inner / m.groups; m.norm {
	case "A":
		y = rmsOf(product(y, z), r.row(prefix+"norm.weight"), m.eps, m.inner)
	case "B":
		y = rmsOf(product(y, z), r.row(prefix+"norm.weight"), m.eps, width)
	case "C":
		y = product(rmsOf(y, r.row(prefix+"norm.weight"), m.eps, width), z)
	default:
		y = product(y, z)
	}
	return r.linear(prefix+"out_proj", y)
}

// conv is families.md §1.5.
func (r *slow) conv(prefix string, x vector, act func(float64) float64) vector {
	seen, w := r.remember(prefix+"conv", x), r.rows(prefix+"conv1d.weight")
	y := make(vector, len(x))
	if _, ok := r.stored.Find(prefix + "conv1d.bias"); ok {
		copy(y, r.row(prefix+"conv1d.bias"))
	}
	taps := len(w[0])
	for c := range y {
		for j, k := range w[c] {
			if t := r.at - taps + 1 + j; t >= 0 {
				y[c] += k * seen[t][c]
			}
		}
	}
	return mapped(y, act)
}

// ssd sums over all tokens s up to this one what is left of Δ_s·u_s·(C·B_s).
func (r *slow) ssd(prefix string, u, b, c, dt vector, m scanning) vector {
	delta := mapped(plus(dt, r.row(prefix+"dt_bias")), func(v float64) float64 {
		return math.Min(math.Max(math.Log1p(math.Exp(v)), m.low), m.high)
	})
	us, bs, deltas := r.remember(prefix+"u", u), r.remember(prefix+"B", b), r.remember(prefix+"Δ", delta)
	aLog, d := r.row(prefix+"A_log"), r.row(prefix+"D")
	y := make(vector, m.inner)
	for e := range y {
		h := e * m.heads / m.inner
		g := h * m.groups / m.heads * m.states
		decay := 0.0 // logarithm
		for s := r.at; s >= 0; s-- {
			dot := 0.0
			for n := range m.states {
				dot += c[g+n] * bs[s][g+n]
			}
			y[e] += math.Exp(decay) * deltas[s][h] * us[s][e] * dot
			decay -= math.Exp(aLog[h]) * deltas[s][h]
		}
		y[e] += d[h] * u[e]
	}
	return y
}

// attending is what families say of their attention.
type attending struct {
	heads, kvHeads, headDim int
	scale                   float64
	theta                   float64 // 0 for no positions
	rotary                  int     // width that is turned
}

// attention is families.md §1.7 after the projections.
func (r *slow) attention(prefix string, q, k, v vector, a attending) (out vector) {
	q, k = r.turn(q, a), r.turn(k, a)
	ks, vs := r.remember(prefix+"k", k), r.remember(prefix+"v", v)
	for h := range a.heads {
		kv := h * a.kvHeads / a.heads * a.headDim
		p, sum := make(vector, len(ks)), 0.0
		for j := range ks {
			for i := range a.headDim {
				p[j] += a.scale * q[h*a.headDim+i] * ks[j][kv+i]
			}
			p[j] = math.Exp(p[j])
			sum += p[j]
		}
		o := make(vector, a.headDim)
		for j := range vs {
			o = plus(o, scaledBy(p[j]/sum, vs[j][kv:kv+a.headDim]))
		}
		out = append(out, o...)
	}
	return out
}

// turn is RoPE by halves.
func (r *slow) turn(x vector, a attending) vector {
	if a.theta == 0 {
		return x
	}
	y, half := append(vector{}, x...), (a.rotary+1)/2
	for at := 0; at < len(x); at += a.headDim {
		for i := range half {
			angle := float64(r.at) * math.Pow(a.theta, -2*float64(i)/float64(a.rotary))
			sin, cos := math.Sincos(angle)
			y[at+i] = x[at+i]*cos - x[at+i+half]*sin
			y[at+i+half] = x[at+i+half]*cos + x[at+i]*sin
		}
	}
	return y
}

// topOf is the indices of the k greatest, of equals the lower.
func topOf(x vector, k int) (list []int) {
	taken := make([]bool, len(x))
	for range k {
		best := -1
		for i, v := range x {
			if !taken[i] && (best < 0 || v > x[best]) {
				best = i
			}
		}
		taken[best], list = true, append(list, best)
	}
	return list
}

// slowLogits restates the model of a config over a sequence.
func slowLogits(t *testing.T, config string, stored Tensors, ids []int) (all vector) {
	t.Helper()
	s := parseSettings(t, config)
	r := &slow{t: t, stored: stored, config: s, past: map[string][]vector{}, weights: map[string]matrix{}}
	for at, id := range ids {
		r.at = at
		all = append(all, slowModels[s.text("model_type", "")](r, id)...)
	}
	return all
}

// sameAsSlow imports a config with its tensors and compares the evaluator
// with the restatement.
func sameAsSlow(t *testing.T, config string, f fake) {
	t.Helper()
	f.randomise()
	m := must(t, config, f).Module
	var ids []int
	for i := range 11 {
		ids = append(ids, (7*i*i+3)%m.Output.Type.Width)
	}
	e, err := eval.New(m)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := e.Run(ids)
	if err != nil {
		t.Fatal(err)
	}
	worst, scale := 0.0, 0.0
	for i, want := range slowLogits(t, config, f, ids) {
		width := m.Output.Type.Width
		worst = math.Max(worst, math.Abs(float64(rows[i/width][i%width])-want))
		scale = math.Max(scale, math.Abs(want))
	}
	if !(worst <= 1e-5*scale) || scale < 0.1 {
		t.Errorf("logits up to %g differ by %g", scale, worst)
	}
}

// randomise gives every tensor values that its name determines, of a size that
// keeps activations near 1.
func (f fake) randomise() {
	for name, x := range f {
		h := fnv.New64a()
		h.Write([]byte(name))
		r := rand.New(rand.NewPCG(h.Sum64(), 7))
		values := x.Source.(*tensor.Dense).Values
		for i := range values {
			values[i] = float32(draw(name, x.Shape, 2*r.Float64()-1))
		}
	}
}

// draw makes a value of a tensor of v, which is between −1 and 1.
func draw(name string, shape tensor.Shape, v float64) float64 {
	switch {
	case strings.HasSuffix(name, "norm.weight"), strings.HasSuffix(name, "norm_f.weight"):
		return 1 + v/3
	case strings.HasSuffix(name, "dt_bias"):
		return 2*v - 1
	case len(shape) > 1:
		return v * math.Sqrt(2/float64(shape[len(shape)-1]))
	}
	return v
}
