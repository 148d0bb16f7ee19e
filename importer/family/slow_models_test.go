package family

import (
	"fmt"
	"math"
)

// slowModels are the families restated: logits of a token.
var slowModels = map[string]func(r *slow, id int) vector{
	"mamba": slowMamba, "falcon_mamba": slowMamba, "jamba": slowJamba,
	"mamba2": slowMamba2, "bamba": slowBamba, "granitemoehybrid": slowGranite, "falcon_h1": slowFalconH1, "nemotron_h": slowNemotronH, "zamba2": slowZamba2,
}

// head is the logits of a stream that is normed already (families.md §1.10).
func (r *slow) head(embedding string, x vector) vector {
	if tied, _ := r.config["tie_word_embeddings"].(bool); tied {
		return r.rows(embedding).times(x)
	}
	return r.linear("lm_head", x)
}

// limits are the bounds of Δ.
func (r *slow) limits() (low, high float64) {
	if r.config["time_step_limit"] == nil {
		return 0, math.Inf(1)
	}
	v := r.config.numbers("time_step_limit", 2, 0)
	return v[0], v[1]
}

// slowMamba2 is families.md §7.
func slowMamba2(r *slow, id int) vector {
	c, x := r.config, r.rows("backbone.embeddings.weight")[id]
	eps := c.number("layer_norm_epsilon", 1e-5)
	m := scanning{inner: c.int("num_heads") * c.int("head_dim"), heads: c.int("num_heads"), groups: c.int("n_groups"), states: c.int("state_size"),
		activation: c.text("hidden_act", "silu"), norm: "A", eps: eps}
	m.low, m.high = r.limits()
	for i := range c.int("num_hidden_layers") {
		prefix := fmt.Sprintf("backbone.layers.%d.", i)
		x = plus(x, r.mamba2(prefix+"mixer.", r.norm(prefix+"norm", x, eps), m))
	}
	return r.head("backbone.embeddings.weight", r.norm("backbone.norm_f", x, eps))
}

// scanning reads the keys that begin with mamba_.
func (r *slow) scanning(norm string, eps float64) scanning {
	c := r.config
	m := scanning{heads: c.int("mamba_n_heads"), groups: c.int("mamba_n_groups"), states: c.int("mamba_d_state"),
		activation: c.text("hidden_act", "silu"), norm: norm, eps: eps}
	m.inner = m.heads * c.int("mamba_d_head")
	m.low, m.high = r.limits()
	return m
}

// attending reads the keys of attention without positions.
func (r *slow) attending() attending {
	c := r.config
	a := attending{heads: c.int("num_attention_heads")}
	a.kvHeads = int(c.number("num_key_value_heads", float64(a.heads)))
	a.headDim = int(c.number("head_dim", c.number("hidden_size", 0)/float64(a.heads)))
	a.scale = math.Pow(float64(a.headDim), -0.5)
	return a
}

// attend is all of families.md §1.7.
func (r *slow) attend(prefix string, x vector, a attending) vector {
	q, k, v := r.linear(prefix+"q_proj", x), r.linear(prefix+"k_proj", x), r.linear(prefix+"v_proj", x)
	return r.linear(prefix+"o_proj", r.attention(prefix, q, k, v, a))
}

// swiGLU is the gated MLP of three matrices.
func (r *slow) swiGLU(prefix string, x vector, act string, gateScale float64) vector {
	gate := mapped(scaledBy(gateScale, r.linear(prefix+"gate_proj", x)), functions[act])
	return r.linear(prefix+"down_proj", product(gate, r.linear(prefix+"up_proj", x)))
}

// slowBamba is families.md §9.1.
func slowBamba(r *slow, id int) vector {
	c, x := r.config, r.rows("model.embed_tokens.weight")[id]
	eps := c.number("rms_norm_eps", 1e-5)
	a := r.attending()
	a.theta, a.rotary = c.number("rope_theta", 1e4), a.headDim/2
	for i := range c.int("num_hidden_layers") {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		h := r.norm(prefix+"input_layernorm", x, eps)
		if i == int(c["attn_layer_indices"].([]any)[0].(float64)) {
			x = plus(x, r.attend(prefix+"self_attn.", h, a))
		} else {
			x = plus(x, r.mamba2(prefix+"mamba.", h, r.scanning("A", eps)))
		}
		x = plus(x, r.swiGLU(prefix+"feed_forward.", r.norm(prefix+"pre_ff_layernorm", x, eps), c.text("hidden_act", "silu"), 1))
	}
	return r.head("model.embed_tokens.weight", r.norm("model.final_layernorm", x, eps))
}

// slowGranite is families.md §9.2.
func slowGranite(r *slow, id int) vector {
	c := r.config
	x := scaledBy(c.number("embedding_multiplier", 1), r.rows("model.embed_tokens.weight")[id])
	eps, residual := c.number("rms_norm_eps", 1e-6), c.number("residual_multiplier", 1)
	a := r.attending()
	a.scale = c.number("attention_multiplier", 1)
	if c.text("position_embedding_type", "nope") == "rope" {
		a.theta, a.rotary = c.number("rope_theta", 1e4), a.headDim
	}
	for i, kind := range c.words("layer_types") {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		h := r.norm(prefix+"input_layernorm", x, eps)
		if kind == "attention" || kind == "full_attention" {
			h = r.attend(prefix+"self_attn.", h, a)
		} else {
			h = r.mamba2(prefix+"mamba.", h, r.scanning("A", eps))
		}
		x = plus(x, scaledBy(residual, h))
		h = r.norm(prefix+"post_attention_layernorm", x, eps)
		x = plus(x, scaledBy(residual, plus(r.fused(prefix+"shared_mlp.", 0, 1, h), r.topSoftmax(prefix+"block_sparse_moe.", h))))
	}
	return scaledBy(1/c.number("logits_scaling", 1), r.head("model.embed_tokens.weight", r.norm("model.norm", x, eps)))
}

// fused is expert e of n in tensors for all of them.
func (r *slow) fused(prefix string, e, n int, x vector) vector {
	in, out := r.rows(prefix+"input_linear.weight"), r.rows(prefix+"output_linear.weight")
	in, out = in[e*len(in)/n:(e+1)*len(in)/n], out[e*len(out)/n:(e+1)*len(out)/n]
	half := len(in) / 2
	return out.times(product(mapped(in[:half].times(x), functions[r.config.text("hidden_act", "silu")]), in[half:].times(x)))
}

// topSoftmax is the router of Granite and the experts that it takes.
func (r *slow) topSoftmax(prefix string, x vector) vector {
	n, y := r.config.int("num_local_experts"), make(vector, len(x))
	if n == 0 {
		return y
	}
	logits, sum := r.linear(prefix+"router.layer", x), 0.0
	chosen := topOf(logits, r.config.int("num_experts_per_tok"))
	for _, e := range chosen {
		sum += math.Exp(logits[e])
	}
	for _, e := range chosen {
		y = plus(y, scaledBy(math.Exp(logits[e])/sum, r.fused(prefix, e, n, x)))
	}
	return y
}

// slowFalconH1 is families.md §12.
func slowFalconH1(r *slow, id int) vector {
	c := r.config
	x := scaledBy(c.number("embedding_multiplier", 1), r.rows("model.embed_tokens.weight")[id])
	eps := c.number("rms_norm_eps", 1e-5)
	a := r.attending()
	a.theta, a.rotary = c.number("rope_theta", 1e4), a.headDim
	norm := ""
	if c.flag("mamba_rms_norm") {
		norm = map[bool]string{true: "C", false: "B"}[c["mamba_norm_before_gate"] != false]
	}
	m := r.scanning(norm, eps)
	m.multipliers = c.numbers("ssm_multipliers", 5, 1)
	forward := c.numbers("mlp_multipliers", 2, 1)
	for i := range c.int("num_hidden_layers") {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		h := r.norm(prefix+"input_layernorm", x, eps)
		mixed := r.mamba2(prefix+"mamba.", scaledBy(c.number("ssm_in_multiplier", 1), h), m)
		h = scaledBy(c.number("attention_in_multiplier", 1), h)
		self := prefix + "self_attn."
		k := scaledBy(c.number("key_multiplier", 1), r.linear(self+"k_proj", h))
		o := r.linear(self+"o_proj", r.attention(self, r.linear(self+"q_proj", h), k, r.linear(self+"v_proj", h), a))
		x = plus(x, plus(scaledBy(c.number("ssm_out_multiplier", 1), mixed), scaledBy(c.number("attention_out_multiplier", 1), o)))
		h = r.norm(prefix+"pre_ff_layernorm", x, eps)
		x = plus(x, scaledBy(forward[1], r.swiGLU(prefix+"feed_forward.", h, c.text("hidden_act", "silu"), forward[0])))
	}
	return scaledBy(c.number("lm_head_multiplier", 1), r.head("model.embed_tokens.weight", r.norm("model.final_layernorm", x, eps)))
}

// slowNemotronH is families.md §10.
func slowNemotronH(r *slow, id int) vector {
	c, x := r.config, r.rows("backbone.embeddings.weight")[id]
	eps := c.number("layer_norm_epsilon", 1e-5)
	m := scanning{inner: c.int("mamba_num_heads") * c.int("mamba_head_dim"), heads: c.int("mamba_num_heads"), groups: c.int("n_groups"),
		states: c.int("ssm_state_size"), activation: c.text("mamba_hidden_act", "silu"), low: c.number("time_step_min", 0.001), high: math.Inf(1), norm: "B", eps: eps}
	for i, kind := range c.words("layers_block_type") {
		prefix := fmt.Sprintf("backbone.layers.%d.", i)
		h := r.norm(prefix+"norm", x, eps)
		switch prefix += "mixer."; kind {
		case "mamba", "linear_attention":
			h = r.mamba2(prefix, h, m)
		case "attention", "full_attention":
			h = r.attend(prefix, h, r.attending())
		case "mlp":
			h = r.upDown(prefix, h)
		case "moe":
			h = r.sigmoidGroups(prefix, h)
		}
		x = plus(x, h)
	}
	return r.linear("lm_head", r.norm("backbone.norm_f", x, eps)) // also where the config calls it tied
}

// upDown is the MLP without a gate.
func (r *slow) upDown(prefix string, x vector) vector {
	return r.linear(prefix+"down_proj", mapped(r.linear(prefix+"up_proj", x), functions[r.config.text("mlp_hidden_act", "relu2")]))
}

// sigmoidGroups is the mixture of experts of Nemotron-H.
func (r *slow) sigmoidGroups(prefix string, x vector) vector {
	c := r.config
	s := mapped(r.linear(prefix+"gate", x), logistic)
	choice := plus(s, r.row(prefix+"gate.e_score_correction_bias"))
	groups := int(c.number("n_group", 1))
	size := len(s) / groups
	scores := make(vector, groups)
	for g := range groups {
		for _, i := range topOf(choice[g*size:(g+1)*size], 2) {
			scores[g] += choice[g*size+i]
		}
	}
	open := make(vector, len(s))
	for i := range open {
		open[i] = math.Inf(-1)
	}
	for _, g := range topOf(scores, int(c.number("topk_group", 1))) {
		copy(open[g*size:(g+1)*size], choice[g*size:(g+1)*size])
	}
	chosen, sum := topOf(open, c.int("num_experts_per_tok")), 1e-20
	for _, e := range chosen {
		sum += s[e]
	}
	if c["norm_topk_prob"] == false {
		sum = 1
	}
	latent := c["moe_latent_size"] != nil
	l := x
	if latent {
		l = r.linear(prefix+"fc1_latent_proj", x)
	}
	y := make(vector, len(l))
	for _, e := range chosen {
		y = plus(y, scaledBy(s[e]/sum*c.number("routed_scaling_factor", 1), r.expert(prefix, e, l)))
	}
	if latent {
		y = r.linear(prefix+"fc2_latent_proj", y)
	}
	return plus(y, r.upDown(prefix+"shared_experts.", x))
}

// expert is one of Nemotron-H's, stored alone or with all others.
func (r *slow) expert(prefix string, e int, x vector) vector {
	if !r.config.flag("fused") {
		return r.upDown(fmt.Sprintf("%sexperts.%d.", prefix, e), x)
	}
	up, down := r.rows(prefix+"experts.up_proj"), r.rows(prefix+"experts.down_proj")
	inner, out := len(down[0]), len(x)
	return down[e*out : (e+1)*out].times(mapped(up[e*inner:(e+1)*inner].times(x), functions["relu2"]))
}

// slowZamba2 is families.md §11.
func slowZamba2(r *slow, id int) vector {
	c := r.config
	x := r.rows("model.embed_tokens.weight")[id]
	first, eps, j := x, c.number("rms_norm_eps", 1e-5), 0
	heads := c.int("n_mamba_heads")
	m := scanning{inner: int(c.number("mamba_expand", 2) * c.number("hidden_size", 0)), heads: heads, groups: c.int("mamba_ngroups"), states: c.int("mamba_d_state"),
		activation: "silu", low: c.number("time_step_min", 0.001), high: math.Inf(1), norm: "B", eps: 1e-5}
	var homes []int
	for i, kind := range c.words("layers_block_type") {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		if kind == "mamba" {
			x = plus(x, r.mamba2(prefix+"mamba.", r.norm(prefix+"input_layernorm", x, eps), m))
			continue
		}
		home := i
		if homes = append(homes, i); !r.config.flag("copies") {
			home = homes[j%int(c.number("num_mem_blocks", 1))]
		}
		u := r.linear(prefix+"linear", r.zamba2Block(fmt.Sprintf("model.layers.%d.shared_transformer.", home), prefix, append(append(vector{}, x...), first...), j))
		x = plus(x, r.mamba2(prefix+"mamba_decoder.mamba.", r.norm(prefix+"mamba_decoder.input_layernorm", plus(x, u), eps), m))
		j++
	}
	return r.head("model.embed_tokens.weight", r.norm("model.final_layernorm", x, eps))
}

// zamba2Block is the shared block as hybrid layer j uses it.
func (r *slow) zamba2Block(shared, own string, x vector, j int) vector {
	c, eps := r.config, r.config.number("rms_norm_eps", 1e-5)
	a := attending{heads: c.int("num_attention_heads")}
	a.kvHeads, a.headDim = a.heads, len(x)/a.heads
	a.scale = math.Pow(float64(a.headDim)/2, -0.5)
	if c.flag("use_mem_rope") {
		a.theta, a.rotary = c.number("rope_theta", 1e4), a.headDim
	}
	h := r.norm(shared+"input_layernorm", x, eps)
	project := func(what string) vector {
		y := r.linear(shared+"self_attn."+what+"_proj", h)
		if c.flag("use_shared_attention_adapter") {
			list := fmt.Sprintf("%sself_attn.linear_%s_adapter_list.%d.", shared, what, j)
			y = plus(y, r.linear(list+"1", r.linear(list+"0", h)))
		}
		return y
	}
	t := r.linear(shared+"self_attn.o_proj", r.attention(own, project("q"), project("k"), project("v"), a))
	h = r.norm(shared+"pre_ff_layernorm", t, eps)
	list := fmt.Sprintf("%sfeed_forward.gate_up_proj_adapter_list.%d.", shared, j)
	gateUp := plus(r.linear(shared+"feed_forward.gate_up_proj", h), r.linear(list+"1", r.linear(list+"0", h)))
	half := len(gateUp) / 2
	return r.linear(shared+"feed_forward.down_proj", product(mapped(gateUp[:half], functions[c.text("hidden_act", "gelu")]), gateUp[half:]))
}
