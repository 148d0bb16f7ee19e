package synth

import (
	"errors"
	"fmt"
)

func init() {
	registerFamily(family{
		name:       "state-spaces",
		container:  "torch-zip",
		recognise:  func(c *config) bool { return c.has("d_model") && c.has("n_layer") && !c.has("model_type") },
		parameters: statespacesParameters,
	})
}

// statespacesParameters restates families.md §5 for Mamba-1: the layout of
// state-spaces/mamba, whose head is always stored.
func statespacesParameters(c *config) []parameter {
	hidden := c.size("d_model", 2560)
	ssm := c.object("ssm_cfg")
	if layer := ssm.text("layer"); layer != "" && layer != "Mamba1" {
		c.fail("ssm_cfg.layer", fmt.Errorf("have %q, want Mamba1", layer))
	}
	m := &mixer1{
		hiddenSize: hidden,
		layers:     c.size("n_layer", 64),
		vocabulary: roundUp(c.size("vocab_size", 50277), c.size("pad_vocab_size_multiple", 8)),
		innerSize:  ssm.expanded(hidden),
		stateSize:  ssm.size("d_state", 16),
		convKernel: ssm.size("d_conv", 4),
		dtRank:     ssm.sizeOrAuto("dt_rank", roundUp(hidden, 16)/16),
		bias:       ssm.flag("bias", false),
		convBias:   ssm.flag("conv_bias", true),
		tied:       c.flag("tie_embeddings", true),
		embedding:  "backbone.embedding.weight",
	}
	if ssm.err != nil {
		c.fail("ssm_cfg", ssm.err)
	}
	refuseLayers(c)
	return m.parameters()
}

// refuseLayers tells of options whose layers are not made yet.
func refuseLayers(c *config) {
	if c.has("d_intermediate") && string(c.fields["d_intermediate"]) != "0" {
		c.fail("d_intermediate", fmt.Errorf("have %s, want 0: no MLP layers", c.fields["d_intermediate"]))
	}
	if c.has("attn_layer_idx") && string(c.fields["attn_layer_idx"]) != "[]" {
		c.fail("attn_layer_idx", fmt.Errorf("have %s, want []: no attention layers", c.fields["attn_layer_idx"]))
	}
	if !c.flag("rms_norm", true) {
		c.fail("rms_norm", errors.New("have false, want true: no LayerNorm"))
	}
}
