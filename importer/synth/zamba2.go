package synth

import (
	"errors"
	"fmt"
	"math"
)

func init() {
	registerFamily(family{
		name:       "zamba2",
		container:  "safetensors",
		recognise:  modelType("zamba2"),
		parameters: zamba2Parameters,
		complete:   completeZamba2,
		base: `{"architectures": ["Zamba2ForCausalLM"], "model_type": "zamba2", "adapter_rank": 128, "add_bias_linear": false,
			"bos_token_id": 1, "chunk_size": 256, "eos_token_id": 2, "hidden_act": "gelu", "hybrid_layer_ids": null,
			"mamba_d_conv": 4, "mamba_d_state": 64, "mamba_ngroups": 1, "max_position_embeddings": 4096, "num_mem_blocks": 1,
			"pad_token_id": 0, "rms_norm_eps": 1e-05, "rope_parameters": null, "rope_scaling": null, "rope_theta": 10000,
			"tie_word_embeddings": true, "time_step_floor": 0.0001, "time_step_limit": null, "time_step_max": 0.1, "time_step_min": 0.001,
			"use_conv_bias": true, "use_long_context": false, "use_mem_rope": true, "use_shared_attention_adapter": false,
			"vocab_size": 32000}`,
		small: `{"adapter_rank": 8, "hidden_size": 64, "intermediate_size": 96, "mamba_d_state": 16, "num_hidden_layers": 4, "vocab_size": 256}`,
		presets: []preset{
			{"zamba2-1.2b", `{"hidden_size": 2048, "intermediate_size": 8192, "layers_block_type": ` + zambaTypes(38, 5, 11, 17, 23, 29, 35) + `,
				"mamba_d_state": 128, "mamba_expand": 2, "mamba_headdim": 64, "n_mamba_heads": 64, "num_attention_heads": 32,
				"num_hidden_layers": 38, "num_key_value_heads": 32, "use_shared_attention_adapter": true}`},
		},
	})
}

var (
	zambaKeys  = mixerKeys{"mamba_expand", "n_mamba_heads", "mamba_headdim", "mamba_ngroups", 1}
	zambaWords = map[string]string{"mamba": "mamba", "linear_attention": "mamba", "hybrid": "hybrid"}
)

// completeZamba2 makes every second layer a hybrid.
func completeZamba2(c *config) {
	hidden := c.size("hidden_size", 2560)
	c.completeMixer(hidden, zambaKeys)
	heads := c.size("num_attention_heads", divisor(hidden, 4))
	c.setAbsent("num_attention_heads", heads)
	c.setAbsent("num_key_value_heads", heads)
	types := make([]string, c.layers("num_hidden_layers", 54))
	for i := range types {
		types[i] = []string{"mamba", "hybrid"}[i%2]
	}
	c.setAbsent("layers_block_type", types)
	var ids []int
	for i, kind := range c.layerKinds(zambaWords, "layers_block_type") {
		if kind == "hybrid" {
			ids = append(ids, i)
		}
	}
	c.setAbsent("hybrid_layer_ids", ids)
	c.setAbsent("attention_hidden_size", 2*hidden)
	c.setAbsent("attention_head_dim", 2*hidden/heads)
}

// zamba2 is the sizes of the blocks that hybrid layers share (families.md §11).
type zamba2 struct {
	attention
	hiddenSize, inner, rank   int
	bias, hasAttentionAdapter bool
}

// adapter appends one of low rank.
func (z *zamba2) adapter(s scope, inputs, outputs int) {
	s.matrix("0", z.rank, inputs, 1, false)
	s.matrix("1", outputs, z.rank, 0.3, false)
}

// add appends a block with the adapters of the hybrid layers, by their number
// among them, that use it.
func (z *zamba2) add(s scope, users []int) {
	d, wide := z.hiddenSize, z.inputs
	s.norm("input_layernorm", wide)
	z.attention.add(s.in("self_attn"), 1)
	s.norm("pre_ff_layernorm", d)
	s.matrix("feed_forward.gate_up_proj", 2*z.inner, d, 1, z.bias)
	s.matrix("feed_forward.down_proj", d, z.inner, 1, z.bias)
	for _, j := range users {
		z.adapter(s.in("feed_forward.gate_up_proj_adapter_list."+itoa(j)), d, 2*z.inner)
		if z.hasAttentionAdapter {
			for _, name := range []string{"q", "k", "v"} {
				z.adapter(s.in("self_attn.linear_"+name+"_adapter_list."+itoa(j)), wide, wide)
			}
		}
	}
}

func (c *config) zamba2(hidden int) *zamba2 {
	z := &zamba2{hiddenSize: hidden, inner: c.size("intermediate_size", 4*hidden), rank: c.size("adapter_rank", 128),
		bias: c.flag("add_bias_linear", false), hasAttentionAdapter: c.flag("use_shared_attention_adapter", false)}
	z.inputs, z.outputs, z.heads = 2*hidden, hidden, c.size("num_attention_heads", 32)
	z.kvHeads = c.size("num_key_value_heads", z.heads)
	c.whole("num_attention_heads", "the number of heads", z.heads, "KV heads", z.kvHeads)
	if z.hasAttentionAdapter && z.kvHeads < z.heads {
		c.fail("num_key_value_heads", fmt.Errorf("heads of keys and values %d are fewer than heads %d, but adapters (use_shared_attention_adapter) add to keys and values of all heads", z.kvHeads, z.heads))
	}
	z.headDim = c.whole("hidden_size", "twice the hidden size", 2*hidden, "heads", z.heads)
	z.scale = 1 / math.Sqrt(float64(z.headDim)/2)
	return z
}

func (c *config) zamba2Mixer(hidden int, bias bool) *mixer2 {
	m := &mixer2{
		hiddenSize: hidden, heads: c.size("n_mamba_heads", 8), groups: c.size("mamba_ngroups", 1),
		stateSize: c.size("mamba_d_state", 64), convKernel: c.size("mamba_d_conv", 4),
		bias: bias, outBias: bias, convBias: true, hasNorm: true,
	}
	inner := c.expanded("mamba_expand", hidden)
	m.headDim = c.size("mamba_headdim", c.whole("n_mamba_heads", "the inner size", inner, "heads", m.heads))
	m.check(c, "mamba_ngroups")
	c.checkMixer(hidden, m.innerSize(), zambaKeys)
	return m
}

// zamba2Parameters restates families.md §11: a shared block is stored in the
// first layer that uses it.
func zamba2Parameters(c *config, s scope) {
	hidden := c.size("hidden_size", 2560)
	z := c.zamba2(hidden)
	m := c.zamba2Mixer(hidden, z.bias)
	kinds, blocks := c.layerKinds(zambaWords, "layers_block_type"), c.size("num_mem_blocks", 1)
	if kinds == nil {
		c.fail("layers_block_type", errors.New("is missing: want the kind of each layer"))
		return
	}
	e := &ends{
		vocabulary: c.size("vocab_size", 32000), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", true),
		embedding: "model.embed_tokens.weight", head: "lm_head.weight", multiplier: 1, factor: 1,
	}
	gain, hybrids := e.gain(len(kinds), 1), 0
	for _, kind := range kinds {
		if kind == "hybrid" {
			hybrids++
		}
	}
	e.begin(s)
	for i, j := 0, 0; i < len(kinds); i++ {
		layer := s.in("model.layers." + itoa(i))
		if kinds[i] == "hybrid" {
			if j < blocks {
				z.add(layer.in("shared_transformer"), cycle(j, blocks, hybrids))
			}
			layer.matrix("linear", hidden, hidden, 1, false)
			layer = layer.in("mamba_decoder")
			j++
		}
		layer.norm("input_layernorm", hidden)
		m.add(layer.in("mamba"), gain)
	}
	s.norm("model.final_layernorm", hidden)
	e.end(s)
}

// cycle is first, first+step, … below end.
func cycle(first, step, end int) []int {
	var list []int
	for j := first; j < end; j += step {
		list = append(list, j)
	}
	return list
}
