package family

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir/text"
)

// TestTransformerContradictions: each is one line that names the key or the
// tensor, and both numbers.
func TestTransformerContradictions(t *testing.T) {
	const question = "; is config.json from this checkpoint?"
	for _, c := range []struct {
		name, from, to string
		damage         func(f fake)
		want           string
	}{
		{"heads of keys", `"num_key_value_heads": 2`, `"num_key_value_heads": 4`, nil, "config.json: heads of keys and values 4 from num_key_value_heads do not divide heads 6 from num_attention_heads"},
		{"fewer heads of keys", `"num_key_value_heads": 2`, `"num_key_value_heads": 1`, nil, "model.layers.0.self_attn.k_proj.weight: have [8 12], want [4 12] (head dim 4 from head_dim, heads of keys and values 1 from num_key_value_heads)" + question},
		{"as many heads of keys", `"num_key_value_heads": 2`, `"num_key_value_heads": null`, nil, "model.layers.0.self_attn.k_proj.weight: have [8 12], want [24 12] (head dim 4 from head_dim, heads of keys and values 6 from the default of num_key_value_heads)" + question},
		{"heads", `"num_attention_heads": 6`, `"num_attention_heads": 8`, nil, "model.layers.0.self_attn.q_proj.weight: have [24 12], want [32 12] (head dim 4 from head_dim, heads 8 from num_attention_heads)" + question},
		{"heads by default", `"num_attention_heads": 6`, `"x": 6`, nil, "model.layers.0.self_attn.q_proj.weight: have [24 12], want [128 12] (head dim 4 from head_dim, heads 32 from the default of num_attention_heads)" + question},
		{"heads that do not divide", `"num_attention_heads": 6,
	"num_key_value_heads": 2, "head_dim": 4`, `"num_attention_heads": 7`, nil, "config.json: heads 7 from num_attention_heads divide neither hidden size 12 from hidden_size nor rows of queries 24 from model.layers.0.self_attn.q_proj.weight, and there is no head_dim"},
		{"no head dim", `"head_dim": 4, `, ``, nil, "model.layers.0.self_attn.q_proj.weight: have [24 12], want [12 12] (head dim 2 from hidden_size and num_attention_heads, heads 6 from num_attention_heads)" + question},
		{"head dim", `"head_dim": 4`, `"head_dim": 8`, nil, "model.layers.0.self_attn.q_proj.weight: have [24 12], want [48 12] (head dim 8 from head_dim, heads 6 from num_attention_heads)" + question},
		{"a head dim of a billion", `"head_dim": 4`, `"head_dim": 1000000000`, nil, "config.json: head dim 1000000000 from head_dim: want at most 65536"},
		{"odd head dim", `"head_dim": 4`, `"head_dim": 5`, nil, "config.json: head dim 5 from head_dim: rotary embeddings turn 5 of its elements, want an even number"},
		{"inner size", `"intermediate_size": 10`, `"intermediate_size": 16`, nil, "model.layers.0.mlp.gate_proj.weight: have [10 12], want [16 12] (inner size 16 from intermediate_size)" + question},
		{"hidden size", `"hidden_size": 12`, `"hidden_size": 14`, nil, "model.embed_tokens.weight: have [11 12], want [11 14] (hidden size 14 from hidden_size)" + question},
		{"vocabulary", `"vocab_size": 11`, `"vocab_size": 12`, nil, "config.json: vocab_size is 12, but model.embed_tokens.weight has 11 rows" + question},
		{"too many layers", `_layers": 2`, `_layers": 3`, nil, "9 tensors are missing: model.layers.2.self_attn.q_proj.weight, model.layers.2.self_attn.k_proj.weight, model.layers.2.self_attn.v_proj.weight, …; number of layers 3 from num_hidden_layers, but the tensors have 2" + question},
		{"a billion layers", `_layers": 2`, `_layers": 1000000000`, nil, "number of layers 1000000000 from num_hidden_layers, but the tensors have 2" + question},
		{"too few layers", `_layers": 2`, `_layers": 1`, nil, "9 tensors are not used by this family: model.layers.1.input_layernorm.weight, model.layers.1.mlp.down_proj.weight, model.layers.1.mlp.gate_proj.weight, …; number of layers 1 from num_hidden_layers, but the tensors have 2" + question},
		{"unknown rotary type", `{`, `{"rope_scaling": {"type": "su"}, `, nil, "config.json: rope_scaling.rope_type: su is not supported; known are default, dynamic, linear, llama3, yarn"},
		{"unknown activation", `{`, `{"hidden_act": "tanh", `, nil, "config.json: hidden_act: tanh is not supported; known are gelu, gelu_new, gelu_pytorch_tanh, relu, relu2, silu, swish"},
		{"biases that are not there", `{`, `{"attention_bias": true, `, nil, "8 tensors are missing: model.layers.0.self_attn.q_proj.bias, model.layers.0.self_attn.k_proj.bias, model.layers.0.self_attn.v_proj.bias, …"},
		{"biases that nobody uses", ``, ``, func(f fake) { f.set("model.layers.1.mlp.up_proj.bias", ffInner) }, "1 tensor is not used by this family: model.layers.1.mlp.up_proj.bias"},
		{"missing", ``, ``, func(f fake) { delete(f, "model.norm.weight"); delete(f, "model.layers.0.mlp.up_proj.weight") }, "2 tensors are missing: model.layers.0.mlp.up_proj.weight, model.norm.weight"},
		{"surplus", ``, ``, func(f fake) { f.set("model.vision.weight", 1) }, "1 tensor is not used by this family: model.vision.weight"},
		{"a norm of another width", ``, ``, func(f fake) { f.set("model.layers.1.post_attention_layernorm.weight", 13) }, "model.layers.1.post_attention_layernorm.weight: have [13], want [12] (hidden size 12 from hidden_size)" + question},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := llamaFake()
			if c.damage != nil {
				c.damage(f)
			}
			_, err := imported(edit(t, llamaJSON, c.from, c.to), f)
			if fmt.Sprint(err) != c.want {
				t.Errorf("have %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestExpertContradictions: the same of what Mixtral adds, in both spellings.
func TestExpertContradictions(t *testing.T) {
	const question = "; is config.json from this checkpoint?"
	const moe = "model.layers.0.block_sparse_moe."
	for _, c := range []struct {
		name, from, to string
		fused          bool
		damage         func(f fake)
		want           string
	}{
		{"experts", `_experts": 5`, `_experts": 8`, false, nil, moe + "gate.weight: have [5 12], want [8 12] (experts 8 from num_local_experts)" + question},
		{"experts by default", `"num_local_experts": 5`, `"x": 5`, true, nil, "model.layers.0.mlp.gate.weight: have [5 12], want [8 12] (experts 8 from the default of num_local_experts)" + question},
		{"too many for a token", `_per_tok": 3`, `_per_tok": 6`, false, nil, "config.json: experts per token 6 from num_experts_per_tok are more than experts 5 from num_local_experts"},
		{"an expert that is missing", ``, ``, false, func(f fake) {
			delete(f, moe+"experts.4.w2.weight")
			delete(f, moe+"experts.4.w3.weight")
		}, "2 tensors are missing: " + moe + "experts.4.w3.weight, " + moe + "experts.4.w2.weight"},
		{"an expert too many", ``, ``, false, func(f fake) { f.set(moe+"experts.5.w1.weight", ffInner, stream) }, "1 tensor is not used by this family: " + moe + "experts.5.w1.weight"},
		{"no experts", ``, ``, false, func(f fake) {
			for _, name := range f.Names() {
				if strings.HasPrefix(name, moe) {
					delete(f, name)
				}
			}
		}, "1 tensor is missing: " + moe + "gate.weight"},
		{"an expert of another size", ``, ``, false, func(f fake) { f.set(moe+"experts.3.w1.weight", 11, stream) }, moe + "experts.3.w1.weight: have [11 12], want [10 12] (inner size 10 from intermediate_size)" + question},
		{"inner size", `"intermediate_size": 10`, `"intermediate_size": 20`, true, nil, "model.layers.0.mlp.experts.gate_up_proj: have [5 20 12], want [5 40 12] (inner size 20 from intermediate_size)" + question},
		{"transposed", ``, ``, true, func(f fake) { f.set("model.layers.1.mlp.experts.down_proj", nExperts, ffInner, stream) }, "model.layers.1.mlp.experts.down_proj: have [5 10 12], want [5 12 10] (hidden size 12 from hidden_size, inner size 10 from intermediate_size)" + question},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := mixtralFake()
			if c.fused {
				f = mixtralFusedFake()
			}
			if c.damage != nil {
				c.damage(f)
			}
			_, err := imported(edit(t, mixtralJSON, c.from, c.to), f)
			if fmt.Sprint(err) != c.want {
				t.Errorf("have %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestTransformerTolerance: what a config may leave out, and what old files
// hold besides.
func TestTransformerTolerance(t *testing.T) {
	want := text.Format(must(t, llamaJSON, llamaFake()).Module)
	for _, c := range []struct{ name, from, to string }{
		{"sizes are in the shapes", llamaJSON, `{"model_type": "llama", "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 4,
			"rms_norm_eps": 1e-3, "rope_theta": 100}`},
		{"nulls", `{`, `{"attention_bias": null, "rope_scaling": null, "sliding_window": null, `},
		{"keys of no consequence", `{`, `{"pretraining_tp": 2, "initializer_range": 0.02, "sliding_window": 7, `},
		{"frequencies that are stored", ``, ``},
	} {
		f := llamaFake()
		f.set("model.layers.0.self_attn.rotary_emb.inv_freq", 2)
		if got := text.Format(must(t, edit(t, llamaJSON, c.from, c.to), f).Module); got != want {
			t.Errorf("%s: the module is\n%s\nwant\n%s", c.name, got, want)
		}
	}
}

// TestFacts: the sizes that are shown.
func TestFacts(t *testing.T) {
	r := must(t, edit(t, mixtralJSON, `{`, `{"max_position_embeddings": 64, "rope_scaling": {"type": "dynamic", "factor": 2}, `), mixtralFake())
	want := []Fact{{"layers", 2}, {"hidden size", 12}, {"heads", 6}, {"heads of keys and values", 2}, {"head dim", 4}, {"sliding window", 5},
		{"experts", 5}, {"experts per token", 3}, {"inner size of an expert", 10}, {"vocabulary size", 11}, {"stored vocabulary rows", 11}}
	if !slices.Equal(r.Facts, want) {
		t.Errorf("facts are %v, want %v", r.Facts, want)
	}
	if r.Longest != dynamicLongest {
		t.Errorf("the longest text is %v, want %v", r.Longest, dynamicLongest)
	}
	if got := r.Architecture.Kind(); got != "llama" {
		t.Errorf("the architecture is %s", got)
	}
}
