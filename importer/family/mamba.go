package family

import "fmt"

func init() {
	register(Family{Name: "mamba", Match: func(c Keys) bool { return c.modelType() == "mamba" }, Import: importMamba})
}

// importMamba reads Mamba in the Hugging Face layout (families.md §6).
func importMamba(c Keys, s *Set) (*Result, error) {
	cfg, err := readMambaConfig(c)
	if err != nil {
		return nil, err
	}
	m := &mamba1{mamba1Config: cfg, set: s, rows: size{what: "vocabulary rows"},
		embedding: s.stored("backbone.embeddings.weight", "backbone.embedding.weight")}
	if err := m.prepare(); err != nil {
		return nil, err
	}
	if m.vocab.n > m.rows.n {
		return nil, fmt.Errorf("config.json: vocab_size is %d, but %s has %d rows; is config.json from this checkpoint?", m.vocab.n, m.embedding, m.rows.n)
	}
	return m.result(c)
}

func readMambaConfig(c Keys) (*mamba1Config, error) {
	r := &reader{keys: c}
	m := &mamba1Config{
		vocab:    r.size("vocabulary size", "vocab_size"),
		hidden:   r.size("hidden size", "hidden_size"),
		layers:   r.size("number of layers", "num_hidden_layers", "n_layer"),
		inner:    r.size("inner size", "intermediate_size"),
		states:   r.size("state size", "state_size"),
		taps:     r.size("conv kernel", "conv_kernel"),
		eps:      r.epsilon(1e-5, "layer_norm_epsilon"),
		bias:     r.flag(false, "use_bias"),
		convBias: r.flag(true, "use_conv_bias"),
		tied:     r.flag(true, "tie_word_embeddings"),
	}
	if m.inner.n == 0 {
		m.inner = r.expanded(m.hidden)
	}
	m.rank = r.sizeOrAuto("dt rank", "time_step_rank", m.hidden)
	if act := r.text("silu", "hidden_act"); act != "silu" && act != "swish" {
		r.fail(fmt.Errorf("hidden_act: %s is not supported; known are silu and swish", printable(act)))
	}
	return m, r.err
}

// expanded is the inner size that expand and the hidden size give, where the
// config gives both.
func (r *reader) expanded(hidden size) size {
	expand := r.number(0, "expand")
	if _, ok := r.keys["expand"]; !ok || hidden.n == 0 {
		return size{what: "inner size"}
	}
	s := size{"inner size", int(min(expand*float64(hidden.n), 2*maxSize)), r.prefix + "expand and " + hidden.from}
	if s.n < 1 || s.n > maxSize {
		r.fail(fmt.Errorf("%sexpand: have %v, of which with %v no inner size can be made", r.prefix, expand, hidden))
	}
	return s
}
