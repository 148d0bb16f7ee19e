package synth

func init() {
	registerFamily(family{
		name:       "llama",
		container:  "safetensors",
		recognise:  modelType("llama"),
		parameters: func(c *config, s scope) { transformer(c, s, llamaDefaults) },
		complete:   completeTransformer,
		base: `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": false, "bos_token_id": 1,
			"eos_token_id": 2, "hidden_act": "silu", "max_position_embeddings": 2048, "mlp_bias": false, "rms_norm_eps": 1e-06,
			"rope_parameters": null, "rope_scaling": null, "rope_theta": 10000.0, "tie_word_embeddings": false, "vocab_size": 32000}`,
		small: `{"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "vocab_size": 256}`,
		presets: []preset{
			{"llama-160m-like", `{"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12,
				"num_key_value_heads": 12}`}, // the sizes of JackFram/llama-160m
		},
	})
}

var llamaDefaults = transformerDefaults{intermediateSize: 11008}

// transformerDefaults is what an absent key means in a family.
type transformerDefaults struct {
	intermediateSize, kvHeads int // 0 KV heads: as many as heads
	experts                   int // of which every MLP consists, 0 for none
}

func completeTransformer(c *config) { c.completeAttention(c.size("hidden_size", 4096), 4, 2) }

// transformer restates families.md §13: Llama, Mistral and Mixtral.
func transformer(c *config, s scope, absent transformerDefaults) {
	hidden, layers := c.size("hidden_size", 4096), c.layers("num_hidden_layers", 32)
	inner, mlpBias := c.size("intermediate_size", absent.intermediateSize), false
	a := c.attention(hidden, 32, absent.kvHeads)
	if c.text("model_type") == "llama" {
		a.bias, mlpBias = c.flag("attention_bias", false), c.flag("mlp_bias", false)
	}
	e := &ends{
		vocabulary: c.size("vocab_size", 32000), hiddenSize: hidden, tied: c.flag("tie_word_embeddings", false),
		embedding: "model.embed_tokens.weight", head: "lm_head.weight", multiplier: 1, factor: 1,
	}
	gain, x := e.gain(2*layers, 1), 0
	if absent.experts > 0 {
		x = c.experts("num_experts_per_tok", absent.experts, "num_local_experts")
	}
	e.begin(s)
	for i := range layers {
		layer := s.in("model.layers." + itoa(i))
		layer.norm("input_layernorm", hidden)
		a.add(layer.in("self_attn"), gain)
		layer.norm("post_attention_layernorm", hidden)
		if x == 0 {
			layer.in("mlp").gated(hidden, inner, gain, 1, mlpBias)
			continue
		}
		moe := layer.in("block_sparse_moe")
		moe.matrix("gate", x, hidden, 1, false)
		for j := range x {
			expert := moe.in("experts." + itoa(j))
			expert.matrix("w1", inner, hidden, 1, false)
			expert.matrix("w2", hidden, inner, gain, false)
			expert.matrix("w3", inner, hidden, 1, false)
		}
	}
	s.norm("model.norm", hidden)
	e.end(s)
}
