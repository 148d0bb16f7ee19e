package family

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mambac/mambac/ir/eval"
	"github.com/mambac/mambac/ir/tensor"
)

// restated is a transformer written down from families.md §1.7, §1.8, §1.9 and
// §13 alone, in float64 and over whole sequences: nothing in it is incremental,
// and nothing is ours.
type restated struct {
	f              fake
	heads, kv, dim int
	window         int // 0 for all
	eps, factor    float64
	frequencies    []float64
	router         string // "" for an MLP
	top            int    // experts per token
	gate, up, down func(prefix string, expert int) [][]float64
}

// tensor is a matrix of the fake; a vector is one row.
func (f fake) tensor(name string) [][]float64 {
	t := f[name]
	rows, row := t.Shape.Rows(), t.Shape.Row()
	if len(t.Shape) == 1 {
		rows, row = 1, rows
	}
	values := make([]float32, rows*row)
	if err := t.Source.ReadRows(values, 0, t.Shape.Rows()); err != nil {
		panic("BUG: " + err.Error())
	}
	list := make([][]float64, rows)
	for i := range list {
		for _, v := range values[i*row : (i+1)*row] {
			list[i] = append(list[i], float64(v))
		}
	}
	return list
}

func times(w [][]float64, x []float64) []float64 {
	y := make([]float64, len(w))
	for i, row := range w {
		for j, v := range row {
			y[i] += v * x[j]
		}
	}
	return y
}

func plus(a, b []float64) []float64 {
	c := slices.Clone(a)
	for i := range b {
		c[i] += b[i]
	}
	return c
}

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

func (r *restated) norm(x []float64, name string) []float64 {
	mean := 0.0
	for _, v := range x {
		mean += v * v / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, w := range r.f.tensor(name)[0] {
		y[i] = x[i] / math.Sqrt(mean+r.eps) * w
	}
	return y
}

// project is a matrix and, if it is stored, a bias.
func (r *restated) project(x []float64, name string) []float64 {
	y := times(r.f.tensor(name+".weight"), x)
	if _, ok := r.f[name+".bias"]; ok {
		y = plus(y, r.f.tensor(name + ".bias")[0])
	}
	return y
}

// turn is the rotate-half form at a position, on one head.
func (r *restated) turn(x []float64, position int) []float64 {
	y, half := slices.Clone(x), len(r.frequencies)
	for i, f := range r.frequencies {
		c, s := r.factor*math.Cos(float64(position)*f), r.factor*math.Sin(float64(position)*f)
		y[i], y[i+half] = x[i]*c-x[i+half]*s, x[i+half]*c+x[i]*s
	}
	return y
}

func (r *restated) attention(xs [][]float64, prefix string) [][]float64 {
	var q, k, v, out [][]float64
	for p, x := range xs {
		heads := func(x []float64, n int, turned bool) []float64 {
			var all []float64
			for h := range n {
				head := x[h*r.dim : (h+1)*r.dim]
				if turned {
					head = r.turn(head, p)
				}
				all = append(all, head...)
			}
			return all
		}
		q = append(q, heads(r.project(x, prefix+"q_proj"), r.heads, true))
		k = append(k, heads(r.project(x, prefix+"k_proj"), r.kv, true))
		v = append(v, heads(r.project(x, prefix+"v_proj"), r.kv, false))
	}
	for p := range xs {
		from := 0
		if r.window > 0 {
			from = max(0, p-r.window+1)
		}
		var o []float64
		for h := range r.heads {
			at, group := h*r.dim, h/(r.heads/r.kv)*r.dim
			mixed, sum := make([]float64, r.dim), 0.0
			for j := from; j <= p; j++ {
				s := 0.0
				for i := range r.dim {
					s += q[p][at+i] * k[j][group+i]
				}
				e := math.Exp(s / math.Sqrt(float64(r.dim)))
				sum += e
				for i := range mixed {
					mixed[i] += e * v[j][group+i]
				}
			}
			for _, m := range mixed {
				o = append(o, m/sum)
			}
		}
		out = append(out, r.project(o, prefix+"o_proj"))
	}
	return out
}

// expert is one SwiGLU.
func expert(gate, up, down [][]float64, x []float64) []float64 {
	g, u := times(gate, x), times(up, x)
	for i := range g {
		g[i] = silu(g[i]) * u[i]
	}
	return times(down, g)
}

// forward is the MLP, or the experts: softmax over all, the greatest, divided
// by their sum.
func (r *restated) forward(x []float64, prefix string) []float64 {
	if r.router == "" {
		g, u := r.project(x, prefix+"mlp.gate_proj"), r.project(x, prefix+"mlp.up_proj")
		for i := range g {
			g[i] = silu(g[i]) * u[i]
		}
		return r.project(g, prefix+"mlp.down_proj")
	}
	p, sum := times(r.f.tensor(prefix+r.router), x), 0.0
	for i := range p {
		p[i] = math.Exp(p[i])
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if p[a] > p[b] {
			return -1
		}
		return 1
	})
	chosen, all := order[:r.top], 0.0
	for _, e := range chosen {
		all += p[e]
	}
	y := make([]float64, len(x))
	for _, e := range chosen {
		for i, v := range expert(r.gate(prefix, e), r.up(prefix, e), r.down(prefix, e), x) {
			y[i] += p[e] / all * v
		}
	}
	return y
}

// logits are those after every id.
func (r *restated) logits(ids []int, layers int) [][]float64 {
	var xs [][]float64
	for _, id := range ids {
		xs = append(xs, r.f.tensor("model.embed_tokens.weight")[id])
	}
	for l := range layers {
		prefix := fmt.Sprintf("model.layers.%d.", l)
		var normed [][]float64
		for _, x := range xs {
			normed = append(normed, r.norm(x, prefix+"input_layernorm.weight"))
		}
		for p, y := range r.attention(normed, prefix+"self_attn.") {
			xs[p] = plus(xs[p], y)
			xs[p] = plus(xs[p], r.forward(r.norm(xs[p], prefix+"post_attention_layernorm.weight"), prefix))
		}
	}
	var rows [][]float64
	for _, x := range xs {
		rows = append(rows, times(r.f.tensor("lm_head.weight"), r.norm(x, "model.norm.weight")))
	}
	return rows
}

// agree compares a model with the restatement.
func (r *restated) agree(t *testing.T, config string) {
	t.Helper()
	m := must(t, config, r.f).Module
	e, err := eval.New(m)
	if err != nil {
		t.Fatal(err)
	}
	ids := []int{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 10, 0}
	have, err := e.Run(ids)
	if err != nil {
		t.Fatal(err)
	}
	diff, scale := 0.0, 0.0
	for p, row := range r.logits(ids, 2) {
		for i, want := range row {
			diff, scale = max(diff, math.Abs(float64(have[p][i])-want)), max(scale, math.Abs(want))
		}
	}
	if !(diff <= 2e-6*scale) || scale < 0.1 {
		t.Errorf("logits differ by %g of %g", diff, scale)
	}
}

// Sizes of the transformers: heads together are wider than the stream.
const (
	stream, qHeads, kvHeads, headDim, ffInner, nExperts = 12, 6, 2, 4, 10, 5
)

// random fills a tensor by its name; norms lie around 1, routers choose clearly.
func (f fake) random(name string, shape ...int) {
	f.set(name, shape...)
	values := f[name].Source.(*tensor.Dense).Values
	seed := uint32(2166136261)
	for _, b := range []byte(name) {
		seed = (seed ^ uint32(b)) * 16777619
	}
	for i := range values {
		seed = seed*1664525 + 1013904223
		v := float32(seed>>8)/(1<<24)*2 - 1
		if len(shape) == 1 {
			values[i] = 1 + v/2
		} else {
			values[i] = v * float32(math.Sqrt(3/float64(shape[len(shape)-1])))
		}
	}
}

// transformerFake is two layers of attention without their feed-forward blocks.
func transformerFake() fake {
	f := fake{}
	f.random("model.embed_tokens.weight", vocab, stream)
	f.random("lm_head.weight", vocab, stream)
	f.random("model.norm.weight", stream)
	for i := range 2 {
		layer := fmt.Sprintf("model.layers.%d.", i)
		f.random(layer+"input_layernorm.weight", stream)
		f.random(layer+"post_attention_layernorm.weight", stream)
		f.random(layer+"self_attn.q_proj.weight", qHeads*headDim, stream)
		f.random(layer+"self_attn.k_proj.weight", kvHeads*headDim, stream)
		f.random(layer+"self_attn.v_proj.weight", kvHeads*headDim, stream)
		f.random(layer+"self_attn.o_proj.weight", stream, qHeads*headDim)
	}
	return f
}

func llamaFake() fake {
	f := transformerFake()
	for i := range 2 {
		mlp := fmt.Sprintf("model.layers.%d.mlp.", i)
		f.random(mlp+"gate_proj.weight", ffInner, stream)
		f.random(mlp+"up_proj.weight", ffInner, stream)
		f.random(mlp+"down_proj.weight", stream, ffInner)
	}
	return f
}

// mixtralFake has experts as published, one by one.
func mixtralFake() fake {
	f := transformerFake()
	for i := range 2 {
		moe := fmt.Sprintf("model.layers.%d.block_sparse_moe.", i)
		f.random(moe+"gate.weight", nExperts, stream)
		for e := range nExperts {
			one := fmt.Sprintf("%sexperts.%d.", moe, e)
			f.random(one+"w1.weight", ffInner, stream)
			f.random(one+"w3.weight", ffInner, stream)
			f.random(one+"w2.weight", stream, ffInner)
		}
	}
	return f
}

// mixtralFusedFake has the names and tensors that are in memory.
func mixtralFusedFake() fake {
	f := transformerFake()
	for i := range 2 {
		moe := fmt.Sprintf("model.layers.%d.mlp.", i)
		f.random(moe+"gate.weight", nExperts, stream)
		f.random(moe+"experts.gate_up_proj", nExperts, 2*ffInner, stream)
		f.random(moe+"experts.down_proj", nExperts, stream, ffInner)
	}
	return f
}

const transformerSizes = `"vocab_size": 11, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 6,
	"num_key_value_heads": 2, "head_dim": 4, "intermediate_size": 10, "rms_norm_eps": 1e-3`

const llamaJSON = `{"model_type": "llama", ` + transformerSizes + `, "rope_theta": 100, "max_position_embeddings": 64}`

const mixtralJSON = `{"model_type": "mixtral", ` + transformerSizes + `, "rope_theta": 50, "sliding_window": 5,
	"num_local_experts": 5, "num_experts_per_tok": 3}`

// restate is a restatement with frequencies of no scaling.
func restate(f fake, theta float64) *restated {
	return &restated{f: f, heads: qHeads, kv: kvHeads, dim: headDim, eps: 1e-3, factor: 1, frequencies: []float64{1, 1 / math.Sqrt(theta)}}
}

func TestMixtralRestated(t *testing.T) {
	r := restate(mixtralFake(), 50)
	r.window, r.top, r.router = 5, 3, "block_sparse_moe.gate.weight"
	matrix := func(name string) func(prefix string, e int) [][]float64 {
		return func(prefix string, e int) [][]float64 {
			return r.f.tensor(fmt.Sprintf("%sblock_sparse_moe.experts.%d.%s.weight", prefix, e, name))
		}
	}
	r.gate, r.up, r.down = matrix("w1"), matrix("w3"), matrix("w2")
	r.agree(t, mixtralJSON)
}

func TestMixtralFusedRestated(t *testing.T) {
	r := restate(mixtralFusedFake(), 50)
	r.top, r.router = 3, "mlp.gate.weight"
	// A row of a tensor of three axes is a matrix; rows are cut from it.
	rows := func(name string, from, to, width int) func(prefix string, e int) [][]float64 {
		return func(prefix string, e int) (list [][]float64) {
			whole := r.f.tensor(prefix + name)[e]
			for i := from; i < to; i++ {
				list = append(list, whole[i*width:(i+1)*width])
			}
			return list
		}
	}
	r.gate = rows("mlp.experts.gate_up_proj", 0, ffInner, stream)
	r.up = rows("mlp.experts.gate_up_proj", ffInner, 2*ffInner, stream)
	r.down = rows("mlp.experts.down_proj", 0, stream, ffInner)
	r.agree(t, edit(t, mixtralJSON, `"sliding_window": 5`, `"sliding_window": null`))
}

// TestLlamaRestated: biases, frequencies that are scaled, and a share of the
// heads, which says nothing here.
func TestLlamaRestated(t *testing.T) {
	r := restate(llamaFake(), 100)
	r.agree(t, llamaJSON)
	for i := range 2 {
		layer := fmt.Sprintf("model.layers.%d.", i)
		r.f.random(layer+"self_attn.q_proj.bias", qHeads*headDim)
		r.f.random(layer+"self_attn.k_proj.bias", kvHeads*headDim)
		r.f.random(layer+"self_attn.v_proj.bias", kvHeads*headDim)
		r.f.random(layer+"self_attn.o_proj.bias", stream)
		r.f.random(layer+"mlp.gate_proj.bias", ffInner)
		r.f.random(layer+"mlp.up_proj.bias", ffInner)
		r.f.random(layer+"mlp.down_proj.bias", stream)
	}
	biased := edit(t, llamaJSON, `{`, `{"attention_bias": true, "mlp_bias": true, `)
	r.agree(t, biased)
	r.frequencies, r.factor = []float64{1, 0.1 / 2}, 1.5
	r.agree(t, edit(t, biased, `{`, `{"rope_scaling": {"type": "yarn", "factor": 2, "attention_factor": 1.5, "beta_fast": 10, "beta_slow": 10}, `))
	r.frequencies, r.factor = []float64{1, 0.1}, 1
	r.agree(t, edit(t, biased, `{`, `{"partial_rotary_factor": 0.5, `))
}

// TestHeadsThatDoNotDivide: where the config says no size of heads and the
// hidden size is no multiple of their number, the tensors tell it.
func TestHeadsThatDoNotDivide(t *testing.T) {
	r := restate(llamaFake(), 100)
	r.heads, r.kv = 5, 1
	for i := range 2 {
		attention := fmt.Sprintf("model.layers.%d.self_attn.", i)
		r.f.random(attention+"q_proj.weight", 5*headDim, stream)
		r.f.random(attention+"k_proj.weight", headDim, stream)
		r.f.random(attention+"v_proj.weight", headDim, stream)
		r.f.random(attention+"o_proj.weight", stream, 5*headDim)
	}
	r.agree(t, edit(t, llamaJSON, `"num_attention_heads": 6,
	"num_key_value_heads": 2, "head_dim": 4`, `"num_attention_heads": 5, "num_key_value_heads": 1`))
}

// TestMistralWindow: silence is the default window, null is none.
func TestMistralWindow(t *testing.T) {
	mistral := edit(t, llamaJSON, `"llama"`, `"mistral"`)
	for _, c := range []struct {
		keys string
		want int
	}{{``, 4096}, {`"sliding_window": null, `, 0}, {`"sliding_window": 3, `, 3}} {
		m := must(t, edit(t, mistral, `{`, `{`+c.keys), llamaFake()).Module
		if len(m.States) != 4 {
			t.Fatalf("%d states, want 4", len(m.States))
		}
		for _, s := range m.States {
			if s.Window != c.want {
				t.Errorf("{%s}: state %s has a window of %d, want %d", c.keys, s.Name, s.Window, c.want)
			}
		}
	}
	r := restate(llamaFake(), 100)
	r.window = 3
	r.agree(t, edit(t, mistral, `{`, `{"sliding_window": 3, `))
}
