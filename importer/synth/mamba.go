package synth

func init() {
	registerFamily(family{
		name:       "mamba",
		container:  "safetensors",
		recognise:  func(c *config) bool { return c.text("model_type") == "mamba" },
		parameters: mambaParameters,
	})
}

// mambaParameters restates families.md §6: the layout of Hugging Face.
func mambaParameters(c *config) []parameter {
	hidden := c.size("hidden_size", 768)
	m := &mixer1{
		hiddenSize: hidden,
		layers:     c.size("num_hidden_layers", 32),
		vocabulary: c.size("vocab_size", 50280),
		innerSize:  c.size("intermediate_size", 1),
		stateSize:  c.size("state_size", 16),
		convKernel: c.size("conv_kernel", 4),
		dtRank:     c.sizeOrAuto("time_step_rank", roundUp(hidden, 16)/16),
		bias:       c.flag("use_bias", false),
		convBias:   c.flag("use_conv_bias", true),
		tied:       c.flag("tie_word_embeddings", true),
		embedding:  "backbone.embeddings.weight",
	}
	if !c.has("intermediate_size") {
		m.innerSize = c.expanded(hidden)
	}
	return m.parameters()
}
