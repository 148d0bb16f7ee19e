package synth

import "fmt"

func init() {
	registerFamily(family{
		name:       "jamba",
		container:  "safetensors",
		recognise:  modelType("jamba"),
		parameters: jambaParameters,
		complete:   completeJamba,
		base: `{"architectures": ["JambaForCausalLM"], "model_type": "jamba", "attn_layer_offset": 4, "attn_layer_period": 8,
			"bos_token_id": 1, "eos_token_id": 2, "expert_layer_offset": 1, "expert_layer_period": 2, "hidden_act": "silu",
			"mamba_conv_bias": true, "mamba_d_conv": 4, "mamba_d_state": 16, "mamba_expand": 2, "mamba_proj_bias": false,
			"max_position_embeddings": 262144, "num_experts": 16, "num_experts_per_tok": 2, "pad_token_id": 0,
			"rms_norm_eps": 1e-06, "tie_word_embeddings": false, "vocab_size": 65536}`,
		small: `{"attn_layer_offset": 1, "attn_layer_period": 2, "hidden_size": 64, "intermediate_size": 96, "num_experts": 4,
			"num_hidden_layers": 4, "vocab_size": 256}`,
		presets: []preset{
			// Known of Jamba-tiny-dev: 319M parameters, 16 layers, 8 heads of 64
			// and 2 KV heads, attention as in the large one. The width of MLPs and
			// the number of experts could not be confirmed: of round numbers these
			// make up the parameters.
			{"jamba-tiny-like", `{"hidden_size": 512, "intermediate_size": 2048, "num_attention_heads": 8, "num_experts": 8,
				"num_hidden_layers": 16, "num_key_value_heads": 2}`},
			{"jamba-v0.1", `{"hidden_size": 4096, "intermediate_size": 14336, "mamba_dt_rank": 256, "num_attention_heads": 32,
				"num_hidden_layers": 32, "num_key_value_heads": 8}`},
		},
	})
}

func completeJamba(c *config) {
	hidden := c.size("hidden_size", 4096)
	c.completeAttention(hidden, 4, 1)
	c.setAbsent("mamba_dt_rank", roundUp(hidden, 16)/16)
}

// jambaParameters restates families.md §8.
func jambaParameters(c *config, s scope) {
	hidden, layers := c.size("hidden_size", 4096), c.layers("num_hidden_layers", 32)
	inner := c.size("intermediate_size", 14336)
	m := &mixer1{
		hiddenSize: hidden,
		innerSize:  c.expanded("mamba_expand", hidden),
		stateSize:  c.size("mamba_d_state", 16),
		convKernel: c.size("mamba_d_conv", 4),
		dtRank:     c.sizeOrAuto("mamba_dt_rank", roundUp(hidden, 16)/16),
		bias:       c.flag("mamba_proj_bias", false),
		convBias:   c.flag("mamba_conv_bias", true),
	}
	a := c.attention(hidden, 32, 8)
	isAttention := c.every("attn_layer_period", 8, "attn_layer_offset", 4)
	isMoE := c.every("expert_layer_period", 2, "expert_layer_offset", 1)
	x := c.experts("num_experts_per_tok", 16, "num_experts", "num_local_experts")
	e := &ends{
		vocabulary: c.size("vocab_size", 65536), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", false),
		embedding: "model.embed_tokens.weight", head: "lm_head.weight", multiplier: 1, factor: 1,
	}
	gain := e.gain(2*layers, 1)
	e.begin(s)
	for i := range layers {
		layer := s.in("model.layers." + itoa(i))
		layer.norm("input_layernorm", hidden)
		if isAttention(i) {
			a.add(layer.in("self_attn"), gain)
		} else {
			m.add(layer.in("mamba"), gain)
			layer.norm("mamba.dt_layernorm", m.dtRank)
			layer.norm("mamba.b_layernorm", m.stateSize)
			layer.norm("mamba.c_layernorm", m.stateSize)
		}
		layer.norm("pre_ff_layernorm", hidden)
		mlp := layer.in("feed_forward")
		if x < 2 || !isMoE(i) {
			mlp.gated(hidden, inner, gain, 1, false)
			continue
		}
		mlp.matrix("router", x, hidden, 1, false)
		for j := range x {
			mlp.in("experts."+itoa(j)).gated(hidden, inner, gain, 1, false)
		}
	}
	s.norm("model.final_layernorm", hidden)
	e.end(s)
}

// every reads a schedule: the layers whose index leaves the offset when it is
// divided by the period.
func (c *config) every(periodKey string, period int, offsetKey string, offset int) func(layer int) bool {
	period, offset = c.size(periodKey, period), c.count(offsetKey, offset)
	if offset >= period {
		c.fail(offsetKey, fmt.Errorf("have %d, want less than %s, %d", offset, periodKey, period))
	}
	return func(layer int) bool { return layer%period == offset }
}
