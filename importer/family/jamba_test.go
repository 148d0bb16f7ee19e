package family

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
	"github.com/mambac/mambac/ir/text"
)

// jambaFake is five layers: attention in the second and the fifth, experts in
// the first, third and fifth.
func jambaFake() fake {
	f := fake{}
	f.random("model.embed_tokens.weight", vocab, stream)
	f.random("lm_head.weight", vocab, stream)
	f.random("model.final_layernorm.weight", stream)
	for i := range 5 {
		layer := fmt.Sprintf("model.layers.%d.", i)
		f.random(layer+"input_layernorm.weight", stream)
		f.random(layer+"pre_ff_layernorm.weight", stream)
		f.jambaMixer(layer, i%3 == 1)
		if i%2 == 0 {
			f.random(layer+"feed_forward.router.weight", nExperts, stream)
			for e := range nExperts {
				f.jambaMLP(fmt.Sprintf("%sfeed_forward.experts.%d.", layer, e))
			}
		} else {
			f.jambaMLP(layer + "feed_forward.")
		}
	}
	return f
}

func (f fake) jambaMixer(layer string, attention bool) {
	shapes := map[string][]int{
		"mamba.in_proj.weight": {2 * inner, stream}, "mamba.conv1d.weight": {inner, 1, taps}, "mamba.conv1d.bias": {inner},
		"mamba.x_proj.weight": {rank + 2*states, inner}, "mamba.dt_proj.weight": {inner, rank}, "mamba.dt_proj.bias": {inner},
		"mamba.A_log": {inner, states}, "mamba.D": {inner}, "mamba.out_proj.weight": {stream, inner},
		"mamba.dt_layernorm.weight": {rank}, "mamba.b_layernorm.weight": {states}, "mamba.c_layernorm.weight": {states},
	}
	if attention {
		shapes = map[string][]int{
			"self_attn.q_proj.weight": {qHeads * headDim, stream}, "self_attn.k_proj.weight": {kvHeads * headDim, stream},
			"self_attn.v_proj.weight": {kvHeads * headDim, stream}, "self_attn.o_proj.weight": {stream, qHeads * headDim},
		}
	}
	for name, shape := range shapes {
		f.random(layer+name, shape...)
	}
}

func (f fake) jambaMLP(prefix string) {
	f.random(prefix+"gate_proj.weight", ffInner, stream)
	f.random(prefix+"up_proj.weight", ffInner, stream)
	f.random(prefix+"down_proj.weight", stream, ffInner)
}

const jambaJSON = `{"model_type": "jamba", "vocab_size": 11, "hidden_size": 12, "num_hidden_layers": 5, "intermediate_size": 10,
	"num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 4, "attn_layer_period": 3, "attn_layer_offset": 1,
	"expert_layer_period": 2, "expert_layer_offset": 0, "num_experts": 5, "num_experts_per_tok": 2, "mamba_d_state": 3,
	"mamba_d_conv": 4, "mamba_dt_rank": 5, "mamba_expand": 0.84}`

// fused replaces the experts of a layer by the tensors that are in memory.
func (f fake) fused(moe string) {
	var in, down []float32
	take := func(to *[]float32, name string) {
		*to = append(*to, f[name].Source.(*tensor.Dense).Values...)
		delete(f, name)
	}
	for e := range nExperts {
		one := fmt.Sprintf("%s%d.", moe, e)
		take(&in, one+"gate_proj.weight")
		take(&in, one+"up_proj.weight")
		take(&down, one+"down_proj.weight")
	}
	f.set(moe+"gate_up_proj", nExperts, 2*ffInner, stream)
	copy(f[moe+"gate_up_proj"].Source.(*tensor.Dense).Values, in)
	f.set(moe+"down_proj", nExperts, stream, ffInner)
	copy(f[moe+"down_proj"].Source.(*tensor.Dense).Values, down)
}

// TestJambaSpellings: experts one by one and fused make one module with the
// same values, also side by side.
func TestJambaSpellings(t *testing.T) {
	single := must(t, jambaJSON, jambaFake()).Module
	f := jambaFake()
	f.fused("model.layers.0.feed_forward.experts.")
	f.fused("model.layers.4.feed_forward.experts.")
	fused := must(t, jambaJSON, f).Module
	if a, b := text.Format(single), text.Format(fused); a != b {
		t.Fatalf("one by one\n%s\nfused\n%s", a, b)
	}
	for i, p := range single.Params {
		if a, b := rows(t, p), rows(t, fused.Params[i]); !slices.Equal(a, b) {
			t.Errorf("%s: one by one %v, fused %v", p.Name, a, b)
		}
	}
}

// rows reads a parameter row by row.
func rows(t *testing.T, p *ir.Param) (all []float32) {
	t.Helper()
	row := make([]float32, p.Shape.Row())
	for i := range p.Shape.Rows() {
		if err := p.Source.ReadRows(row, i, i+1); err != nil {
			t.Fatal(err)
		}
		all = append(all, row...)
	}
	return all
}

// TestStackedTypes: experts of different types are read as float32.
func TestStackedTypes(t *testing.T) {
	f := jambaFake()
	for _, name := range f.Names() {
		w := f[name]
		w.DType = tensor.BF16
		f[name] = w
	}
	odd := f["model.layers.2.feed_forward.experts.3.up_proj.weight"]
	odd.DType = tensor.F16
	f[odd.Name] = odd
	for _, p := range must(t, jambaJSON, f).Module.Params {
		want := tensor.BF16
		if p.Name == "model.layers.2.feed_forward.experts.gate_up_proj" {
			want = tensor.F32
		}
		if p.DType != want {
			t.Errorf("%s is %v, want %v", p.Name, p.DType, want)
		}
	}
}

// TestJambaTolerance: what a config may leave out, or say in other words.
func TestJambaTolerance(t *testing.T) {
	want := text.Format(must(t, jambaJSON, jambaFake()).Module)
	for _, c := range []struct{ name, from, to string }{
		{"sizes are in the shapes", jambaJSON, `{"model_type": "jamba", "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 4,
			"attn_layer_period": 3, "attn_layer_offset": 1, "expert_layer_offset": 0, "num_experts": 5}`},
		{"another name", `"num_experts"`, `"num_local_experts"`},
		{"keys of no consequence", `{`, `{"max_position_embeddings": 262144, "use_mamba_kernels": false, "rope_theta": 3, "sliding_window": null, `},
	} {
		if got := text.Format(must(t, edit(t, jambaJSON, c.from, c.to), jambaFake()).Module); got != want {
			t.Errorf("%s: the module is\n%s\nwant\n%s", c.name, got, want)
		}
	}
}

// TestJambaDense: of one expert nothing is routed.
func TestJambaDense(t *testing.T) {
	f := jambaFake()
	for _, i := range []int{0, 2, 4} {
		moe := fmt.Sprintf("model.layers.%d.feed_forward.", i)
		delete(f, moe+"router.weight")
		for e := range nExperts {
			for _, name := range []string{"gate_proj.weight", "up_proj.weight", "down_proj.weight"} {
				delete(f, fmt.Sprintf("%sexperts.%d.%s", moe, e, name))
			}
		}
		f.jambaMLP(moe)
	}
	r := must(t, edit(t, jambaJSON, `"num_experts": 5`, `"num_experts": 1`), f)
	for _, v := range r.Module.Regions[1].Body {
		if name := v.Op.OpName(); name == "route" || name == "experts" {
			t.Errorf("a layer of one expert has the op %s", name)
		}
	}
}

// TestJambaContradictions: each is one line that names key and tensor.
func TestJambaContradictions(t *testing.T) {
	const question = "; is config.json from this checkpoint?"
	for _, c := range []struct {
		name, from, to string
		damage         func(f fake)
		want           string
	}{
		{"attention elsewhere", `"attn_layer_offset": 1`, `"attn_layer_offset": 2`, nil, "config.json: period 3 from attn_layer_period and offset 2 from attn_layer_offset do not agree with model.layers.1.self_attn.q_proj.weight" + question},
		{"attention more often", `"attn_layer_period": 3`, `"attn_layer_period": 2`, nil, "config.json: period 2 from attn_layer_period and offset 1 from attn_layer_offset do not agree with model.layers.3.mamba.in_proj.weight" + question},
		{"attention by default", `"attn_layer_period": 3, "attn_layer_offset": 1,`, ``, nil, "config.json: period 8 from the default of attn_layer_period and offset 4 from the default of attn_layer_offset do not agree with model.layers.1.self_attn.q_proj.weight" + question},
		{"experts elsewhere", `"expert_layer_offset": 0`, `"expert_layer_offset": 1`, nil, "config.json: experts 5 from num_experts, period 2 from expert_layer_period and offset 1 from expert_layer_offset do not agree with model.layers.0.feed_forward.router.weight" + question},
		{"experts everywhere", `"expert_layer_period": 2`, `"expert_layer_period": 1`, nil, "config.json: experts 5 from num_experts, period 1 from expert_layer_period and offset 0 from expert_layer_offset do not agree with model.layers.1.feed_forward.gate_proj.weight" + question},
		{"one expert", `"num_experts": 5`, `"num_experts": 1`, nil, "config.json: experts 1 from num_experts, period 2 from expert_layer_period and offset 0 from expert_layer_offset do not agree with model.layers.0.feed_forward.router.weight" + question},
		{"offset", `"attn_layer_offset": 1`, `"attn_layer_offset": 3`, nil, "config.json: offset 3 from attn_layer_offset, want less than period 3 from attn_layer_period"},
		{"negative offset", `"attn_layer_offset": 1`, `"attn_layer_offset": -1`, nil, "config.json: attn_layer_offset: have -1, want 0 to 1073741824"},
		{"no period", `"attn_layer_period": 3`, `"attn_layer_period": 0`, nil, "config.json: attn_layer_period: have 0, want 1 to 1073741824"},
		{"experts", `"num_experts": 5`, `"num_experts": 4`, nil, "model.layers.0.feed_forward.router.weight: have [5 12], want [4 12] (experts 4 from num_experts)" + question},
		{"state size", `"mamba_d_state": 3`, `"mamba_d_state": 4`, nil, "model.layers.0.mamba.x_proj.weight: have [11 10], want [13 10] (dt rank 5 from mamba_dt_rank, state size 4 from mamba_d_state)" + question},
		{"expand", `"mamba_expand": 0.84`, `"mamba_expand": 2`, nil, "model.layers.0.mamba.in_proj.weight: have [20 12], want [48 12] (inner size of mixers 24 from mamba_expand and hidden_size)" + question},
		{"heads of keys", `"num_key_value_heads": 2`, `"num_key_value_heads": 4`, nil, "config.json: heads of keys and values 4 from num_key_value_heads do not divide heads 6 from num_attention_heads"},
		{"layers", `_layers": 5`, `_layers": 4`, nil, "22 tensors are not used by this family: model.layers.4.feed_forward.experts.0.down_proj.weight, model.layers.4.feed_forward.experts.0.gate_proj.weight, model.layers.4.feed_forward.experts.0.up_proj.weight, …; number of layers 4 from num_hidden_layers, but the tensors have 5" + question},
		{"missing norm", ``, ``, func(f fake) { delete(f, "model.layers.2.mamba.dt_layernorm.weight") }, "1 tensor is missing: model.layers.2.mamba.dt_layernorm.weight"},
		{"norm of another size", ``, ``, func(f fake) { f.set("model.layers.2.mamba.b_layernorm.weight", 5) }, "model.layers.2.mamba.b_layernorm.weight: have [5], want [3] (state size 3 from mamba_d_state)" + question},
		{"activation", `{`, `{"hidden_act": "tanh", `, nil, "config.json: hidden_act: tanh is not supported; known are gelu, gelu_new, gelu_pytorch_tanh, relu, relu2, silu, swish"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := jambaFake()
			if c.damage != nil {
				c.damage(f)
			}
			_, err := imported(edit(t, jambaJSON, c.from, c.to), f)
			if fmt.Sprint(err) != c.want {
				t.Errorf("have %v\nwant %s", err, c.want)
			}
		})
	}
}
