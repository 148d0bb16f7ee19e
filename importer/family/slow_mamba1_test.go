package family

import (
	"fmt"
	"math"
	"slices"
)

// mixing1 is what families say of their Mamba-1 mixers.
type mixing1 struct {
	states     int
	activation string
	norm       func(prefix, of string, x vector) vector // of δ, B and C
}

// mamba1 is families.md §2.
func (r *slow) mamba1(prefix string, x vector, m mixing1) vector {
	uz := r.linear(prefix+"in_proj", x)
	v := cutAt(uz, len(uz)/2, len(uz)/2)
	u := r.conv(prefix, v[0], functions[m.activation])
	dBC := r.linear(prefix+"x_proj", u)
	parts := cutAt(dBC, len(dBC)-2*m.states, m.states, m.states)
	for i, of := range []string{"dt", "b", "c"} {
		parts[i] = m.norm(prefix, of, parts[i])
	}
	delta := mapped(r.linear(prefix+"dt_proj", parts[0]), func(v float64) float64 { return math.Log1p(math.Exp(v)) })
	y := r.selective(prefix, u, delta, parts[1], parts[2])
	return r.linear(prefix+"out_proj", product(y, mapped(v[1], silu)))
}

// selective sums over all tokens s up to this one what is left of Δ_s·u_s·B_s·C.
func (r *slow) selective(prefix string, u, delta, b, c vector) vector {
	us, bs, deltas := r.remember(prefix+"u", u), r.remember(prefix+"B", b), r.remember(prefix+"Δ", delta)
	y := product(r.row(prefix+"D"), u)
	for e, logs := range r.rows(prefix + "A_log") {
		for n, aLog := range logs {
			decay := 0.0 // logarithm
			for s := r.at; s >= 0; s-- {
				y[e] += math.Exp(decay) * deltas[s][e] * us[s][e] * bs[s][n] * c[n]
				decay -= math.Exp(aLog) * deltas[s][e]
			}
		}
	}
	return y
}

// slowMamba is families.md §6.
func slowMamba(r *slow, id int) vector {
	c, x := r.config, r.rows("backbone.embeddings.weight")[id]
	eps := c.number("layer_norm_epsilon", 1e-5)
	m := mixing1{states: c.int("state_size"), activation: c.text("hidden_act", "silu"), norm: func(_, _ string, x vector) vector { return x }}
	if c.text("model_type", "") == "falcon_mamba" {
		m.norm = func(_, _ string, x vector) vector {
			return rmsOf(x, slices.Repeat(vector{1}, len(x)), c.number("mixer_rms_eps", 1e-6), len(x))
		}
	}
	for i := range c.int("num_hidden_layers") {
		prefix := fmt.Sprintf("backbone.layers.%d.", i)
		x = plus(x, r.mamba1(prefix+"mixer.", r.norm(prefix+"norm", x, eps), m))
	}
	x = r.norm("backbone.norm_f", x, eps)
	if c.unless("tie_word_embeddings") {
		return r.rows("backbone.embeddings.weight").times(x)
	}
	return r.linear("lm_head", x)
}

// slowJamba is families.md §8.
func slowJamba(r *slow, id int) vector {
	c, x := r.config, r.rows("model.embed_tokens.weight")[id]
	eps, act := c.number("rms_norm_eps", 1e-6), c.text("hidden_act", "silu")
	m := mixing1{states: c.int("mamba_d_state"), activation: act, norm: func(prefix, of string, x vector) vector {
		return r.norm(prefix+of+"_layernorm", x, eps)
	}}
	for i := range c.int("num_hidden_layers") {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		h := r.norm(prefix+"input_layernorm", x, eps)
		if i%c.int("attn_layer_period") == c.int("attn_layer_offset") {
			x = plus(x, r.attend(prefix+"self_attn.", h, r.attending()))
		} else {
			x = plus(x, r.mamba1(prefix+"mamba.", h, m))
		}
		h = r.norm(prefix+"pre_ff_layernorm", x, eps)
		if c.routed(i) {
			x = plus(x, r.softmaxTop(prefix+"feed_forward.", h, act))
		} else {
			x = plus(x, r.swiGLU(prefix+"feed_forward.", h, act, 1))
		}
	}
	return r.head("model.embed_tokens.weight", r.norm("model.final_layernorm", x, eps))
}

// routed is the schedule of Jamba's experts.
func (s settings) routed(layer int) bool {
	return s.int("num_experts") > 1 && layer%s.int("expert_layer_period") == s.int("expert_layer_offset")
}

// softmaxTop is the router of Jamba, whose weights add up to less than 1, and
// the experts that it takes.
func (r *slow) softmaxTop(prefix string, x vector, act string) vector {
	p := mapped(r.linear(prefix+"router", x), math.Exp)
	sum, y := 0.0, make(vector, len(x))
	for _, v := range p {
		sum += v
	}
	for _, e := range topOf(p, r.config.int("num_experts_per_tok")) {
		y = plus(y, scaledBy(p[e]/sum, r.swiGLU(fmt.Sprintf("%sexperts.%d.", prefix, e), x, act, 1)))
	}
	return y
}

// mixer1 is the tensors of a Mamba-1 mixer.
func (f fake) mixer1(prefix string, hidden int, bias, convBias bool) {
	f.linear(prefix+"in_proj", 2*inner, hidden, bias)
	f.set(prefix+"conv1d.weight", inner, 1, taps)
	if convBias {
		f.set(prefix+"conv1d.bias", inner)
	}
	f.linear(prefix+"x_proj", rank+2*states, inner, false)
	f.linear(prefix+"dt_proj", inner, rank, true)
	f.set(prefix+"A_log", inner, states)
	f.set(prefix+"D", inner)
	f.linear(prefix+"out_proj", hidden, inner, bias)
}

func fakeMamba(c settings, f fake) {
	f.set("backbone.embeddings.weight", vocab, hidden)
	f.set("backbone.norm_f.weight", hidden)
	if !c.unless("tie_word_embeddings") {
		f.set("lm_head.weight", vocab, hidden)
	}
	for i := range 2 {
		prefix := fmt.Sprintf("backbone.layers.%d.", i)
		f.set(prefix+"norm.weight", hidden)
		f.mixer1(prefix+"mixer.", hidden, c.flag("use_bias"), c.unless("use_conv_bias"))
	}
}

func fakeJamba(c settings, f fake) {
	f.trunk(c, "model.embed_tokens.weight", "model.final_layernorm.weight")
	dim := int(c.number("head_dim", float64(stream/qHeads)))
	for i := range 5 {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		f.set(prefix+"input_layernorm.weight", stream)
		f.set(prefix+"pre_ff_layernorm.weight", stream)
		if i%3 == 1 {
			f.attention(prefix+"self_attn.", stream, stream, qHeads, kvHeads, dim, false)
		} else {
			f.mixer1(prefix+"mamba.", stream, c.flag("mamba_proj_bias"), c.unless("mamba_conv_bias"))
			f.set(prefix+"mamba.dt_layernorm.weight", rank)
			f.set(prefix+"mamba.b_layernorm.weight", states)
			f.set(prefix+"mamba.c_layernorm.weight", states)
		}
		if !c.routed(i) {
			f.jambaMLP(prefix + "feed_forward.")
			continue
		}
		f.set(prefix+"feed_forward.router.weight", nExperts, stream)
		for e := range nExperts {
			f.jambaMLP(fmt.Sprintf("%sfeed_forward.experts.%d.", prefix, e))
		}
	}
}
