package family

import (
	"encoding/json"
	"fmt"
)

func init() {
	register(Family{Name: "state-spaces", Match: isStateSpaces, Import: importStateSpaces})
}

// isStateSpaces recognises the layout of the original implementation
// (families.md §5): d_model and n_layer, and no model_type.
func isStateSpaces(c Keys) bool {
	return c["model_type"] == nil && c["d_model"] != nil && c["n_layer"] != nil
}

// importStateSpaces reads Mamba-1 in the state-spaces layout.
func importStateSpaces(c Keys, s *Set) (*Result, error) {
	cfg, err := readStateSpacesConfig(c)
	if err != nil {
		return nil, err
	}
	m := &mamba1Model{name: "mamba", mambaConfig: cfg, set: s, embedding: []string{"backbone.embedding.weight"}}
	module, err := m.build()
	if err != nil {
		return nil, err
	}
	r := &reader{keys: c}
	multiple := r.size(8, "pad_vocab_size_multiple")
	if want := (cfg.vocab + multiple - 1) / multiple * multiple; r.err == nil && want != m.rows {
		return nil, fmt.Errorf("config.json: vocab_size %d padded to a multiple of %d gives %d rows, but the embedding has %d; is config.json from this checkpoint?",
			cfg.vocab, multiple, want, m.rows)
	}
	return &Result{Module: module, VocabSize: cfg.vocab, EOS: c.IDs("eos_token_id"), Facts: m.facts()}, r.err
}

func readStateSpacesConfig(c Keys) (*mambaConfig, error) {
	r := &reader{keys: c}
	m := &mambaConfig{
		vocab: r.size(50277, "vocab_size"), hidden: r.size(2560, "d_model"), layers: r.size(64, "n_layer"),
		eps: 1e-5, tied: r.flag(true, "tie_embeddings"),
	}
	mixer := Keys{}
	r.decode(&mixer, "ssm_cfg")
	o := &reader{keys: mixer}
	layer := o.text("Mamba1", "layer")
	m.states, m.taps = o.size(16, "d_state"), o.size(4, "d_conv")
	m.inner = int(o.number(2, "expand") * float64(m.hidden))
	m.rank = o.sizeOrAuto((m.hidden+15)/16, "dt_rank")
	m.convBias, m.bias = o.flag(true, "conv_bias"), o.flag(false, "bias")
	if r.err == nil {
		r.err = o.err
	}
	if r.err == nil && layer != "Mamba1" {
		return nil, fmt.Errorf("config.json: ssm_cfg.layer: %q is not supported; known is Mamba1", layer)
	}
	return m, firstError(r.err, unsupported(c))
}

// unsupported names an option of the layout that changes the computation and
// that this importer does not have.
func unsupported(c Keys) error {
	r := &reader{keys: c}
	var attention []json.RawMessage
	r.decode(&attention, "attn_layer_idx")
	switch {
	case r.err != nil:
		return r.err
	case len(attention) > 0:
		return fmt.Errorf("config.json: attn_layer_idx: attention layers are not supported in this layout")
	case !r.flag(true, "rms_norm"):
		return fmt.Errorf("config.json: rms_norm: false (LayerNorm) is not supported in this layout")
	}
	var intermediate int
	if r.decode(&intermediate, "d_intermediate") && intermediate > 0 {
		return fmt.Errorf("config.json: d_intermediate: %d (an MLP in every layer) is not supported in this layout", intermediate)
	}
	return r.err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
