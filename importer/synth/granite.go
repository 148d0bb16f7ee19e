package synth

import "fmt"

func init() {
	registerFamily(family{
		name:       "granitemoehybrid",
		container:  "safetensors",
		recognise:  modelType("granitemoehybrid"),
		parameters: graniteParameters,
		complete:   completeGranite,
		base: `{"architectures": ["GraniteMoeHybridForCausalLM"], "model_type": "granitemoehybrid", "attention_bias": false,
			"bos_token_id": 100257, "embedding_multiplier": 12, "eos_token_id": 100257, "hidden_act": "silu",
			"layers_block_type": null, "mamba_chunk_size": 256, "mamba_conv_bias": true, "mamba_d_conv": 4, "mamba_d_state": 128,
			"mamba_n_groups": 1, "mamba_proj_bias": false, "max_position_embeddings": 131072, "normalization_function": "rmsnorm",
			"pad_token_id": 100256, "position_embedding_type": "nope", "residual_multiplier": 0.22, "rms_norm_eps": 1e-05,
			"rope_parameters": null, "rope_scaling": null, "rope_theta": 10000, "tie_word_embeddings": true,
			"time_step_limit": null, "vocab_size": 100352}`,
		small: `{"attention_multiplier": 0.125, "bos_token_id": 1, "eos_token_id": 2, "hidden_size": 64, "intermediate_size": 48,
			"logits_scaling": 4, "mamba_d_state": 16, "num_experts_per_tok": 2, "num_hidden_layers": 3, "num_local_experts": 4,
			"pad_token_id": 0, "shared_intermediate_size": 96, "vocab_size": 256}`,
		presets: []preset{
			{"granite-4-h-350m", `{"attention_multiplier": 0.015625, "hidden_size": 768, "intermediate_size": 2048,
				"layer_types": ` + hybridTypes(32, 10, 13, 17, 27) + `, "logits_scaling": 3, "mamba_d_head": 32, "mamba_expand": 2,
				"mamba_n_heads": 48, "num_attention_heads": 12, "num_experts_per_tok": 0, "num_hidden_layers": 32,
				"num_key_value_heads": 4, "num_local_experts": 0, "shared_intermediate_size": 2048}`},
			// The model card's table has all sizes; the multipliers are those of
			// configs of the same width that are found elsewhere.
			{"granite-4-h-tiny", `{"attention_multiplier": 0.0078125, "hidden_size": 1536, "intermediate_size": 512,
				"layer_types": ` + hybridTypes(40, 5, 15, 25, 35) + `, "logits_scaling": 6, "mamba_d_head": 64, "mamba_expand": 2,
				"mamba_n_heads": 48, "num_attention_heads": 12, "num_experts_per_tok": 6, "num_hidden_layers": 40,
				"num_key_value_heads": 4, "num_local_experts": 64, "shared_intermediate_size": 1024}`},
		},
	})
}

// layerWords are the names of layers in files of either age.
var layerWords = map[string]string{
	"mamba": "mamba", "linear_attention": "mamba", "attention": "attention", "full_attention": "attention",
}

// completeGranite makes the layer in the middle one of attention.
func completeGranite(c *config) {
	hidden, layers := c.size("hidden_size", 4096), c.layers("num_hidden_layers", 32)
	c.completeMixer(hidden, bambaKeys)
	heads := c.size("num_attention_heads", divisor(hidden, 4))
	c.setAbsent("num_attention_heads", heads)
	c.setAbsent("num_key_value_heads", divisor(heads, max(1, heads/2)))
	if c.has("layers_block_type") {
		return
	}
	types := make([]string, layers)
	for i := range types {
		types[i] = "mamba"
	}
	types[layers/2] = "attention"
	c.setAbsent("layer_types", types)
}

// graniteParameters restates families.md §9.2.
func graniteParameters(c *config, s scope) {
	hidden, layers := c.size("hidden_size", 4096), c.layers("num_hidden_layers", 32)
	inner, shared := c.size("intermediate_size", 11008), c.size("shared_intermediate_size", 1024)
	m, a := c.bambaMixer(hidden), c.attention(hidden, 32, 0)
	a.headDim = c.whole("hidden_size", "the hidden size", hidden, "heads", a.heads) // there is no key for it
	a.bias, a.scale = c.flag("attention_bias", false), c.number("attention_multiplier", 1)
	x := c.experts("num_experts_per_tok", 8, "num_local_experts")
	kinds := c.layerKinds(layerWords, "layer_types", "layers_block_type")
	if kinds != nil && len(kinds) != layers {
		c.fail("layer_types", fmt.Errorf("have %d entries for %d layers", len(kinds), layers))
		return
	}
	e := &ends{
		vocabulary: c.size("vocab_size", 32000), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", false),
		embedding: "model.embed_tokens.weight", head: "lm_head.weight",
		multiplier: c.positive("embedding_multiplier", 1), factor: 1 / c.positive("logits_scaling", 1),
	}
	gain := e.gain(2*layers, c.positive("residual_multiplier", 1))
	e.begin(s)
	for i := range layers {
		layer := s.in("model.layers." + itoa(i))
		layer.norm("input_layernorm", hidden)
		if kinds != nil && kinds[i] == "attention" {
			a.add(layer.in("self_attn"), gain)
		} else {
			m.add(layer.in("mamba"), gain)
		}
		layer.norm("post_attention_layernorm", hidden)
		layer.matrix("shared_mlp.input_linear", 2*shared, hidden, 1, false)
		layer.matrix("shared_mlp.output_linear", hidden, shared, gain, false)
		if x > 0 {
			moe := layer.in("block_sparse_moe")
			moe.matrix("router.layer", x, hidden, 1, false)
			moe.add("input_linear.weight", linear(hidden, 1), x, 2*inner, hidden)
			moe.add("output_linear.weight", linear(inner, gain), x, hidden, inner)
		}
	}
	s.norm("model.norm", hidden)
	e.end(s)
}
