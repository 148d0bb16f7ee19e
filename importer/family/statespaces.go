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
	has := func(name string) bool {
		_, ok := c.get(name)
		return ok
	}
	return !has("model_type") && has("d_model") && has("n_layer")
}

// importStateSpaces reads Mamba-1 in the state-spaces layout.
func importStateSpaces(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readStateSpaces(r, s)
	multiple := r.size("", "pad_vocab_size_multiple").n
	if multiple == 0 {
		multiple = 8
	}
	return m.result(r, "mamba", func() error { return m.padded(multiple) })
}

// padded checks that the vocabulary, rounded up, is what is stored.
func (m *mamba1) padded(multiple int) error {
	if want := (m.vocab.n + multiple - 1) / multiple * multiple; m.vocab.n > 0 && want != m.rows.n {
		return fmt.Errorf("config.json: vocab_size %d padded to a multiple of %d gives %d rows, but %s has %d; is config.json from this checkpoint?",
			m.vocab.n, multiple, want, m.embedding, m.rows.n)
	}
	return nil
}

func readStateSpaces(r *reader, s *Set) *mamba1 {
	r.unsupported()
	mixer := r.object("ssm_cfg")
	if layer := mixer.text("Mamba1", "layer"); layer != "Mamba1" {
		mixer.fail(fmt.Errorf("ssm_cfg.layer: %s is not supported; known is Mamba1", printable(layer)))
	}
	m := &mamba1{
		trunk: trunk{
			set:       s,
			embedding: "backbone.embedding.weight",
			prefix:    "backbone.layers.",
			norm:      "backbone.norm_f.weight",
			vocab:     r.size("vocabulary size", "vocab_size"),
			hidden:    r.size("hidden size", "d_model"),
			layers:    r.size("number of layers", "n_layer"),
			eps:       1e-5, // fixed in this layout
			tied:      r.flag(true, "tie_embeddings"),
		},
		mixer: mixer1{
			states:   mixer.size("state size", "d_state"),
			taps:     mixer.size("conv kernel", "d_conv"),
			bias:     mixer.flag(false, "bias"),
			convBias: mixer.flag(true, "conv_bias"),
		},
	}
	m.mixer.inner = mixer.expanded(m.hidden, "expand")
	m.mixer.rank = mixer.sizeOrAuto("dt rank", "dt_rank", m.hidden)
	r.take(mixer)
	return m
}

// unsupported fails for options of the layout that change the computation and
// that this importer does not have.
func (r *reader) unsupported() {
	var attention []json.RawMessage
	r.decode(&attention, "a list", "attn_layer_idx")
	if len(attention) > 0 {
		r.fail(fmt.Errorf("attn_layer_idx: %d layers of attention, which are not supported in this layout", len(attention)))
	}
	if !r.flag(true, "rms_norm") {
		r.fail(fmt.Errorf("rms_norm: false, that is LayerNorm, is not supported in this layout"))
	}
	intermediate := 0
	r.decode(&intermediate, "a whole number", "d_intermediate")
	if intermediate != 0 {
		r.fail(fmt.Errorf("d_intermediate: %d, an MLP in every layer, is not supported in this layout", intermediate))
	}
}
