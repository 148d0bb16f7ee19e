package family

import "fmt"

func init() {
	register(Family{Name: "mamba", Match: typed("mamba"), Import: settled(importMamba)})
}

// importMamba reads Mamba in the Hugging Face layout (families.md §6).
func importMamba(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readMamba(r, s)
	return m.result(r, "mamba")
}

func readMamba(r *reader, s *Set) *mamba1 {
	m := &mamba1{
		trunk: readTrunk(r, s, "layer_norm_epsilon", 1e-5, true),
		mixer: mixer1{
			inner:      r.size("inner size", "intermediate_size"),
			states:     r.size("state size", "state_size"),
			taps:       r.size("conv kernel", "conv_kernel"),
			bias:       r.flag(false, "use_bias"),
			convBias:   r.flag(true, "use_conv_bias"),
			activation: r.activation("hidden_act"), // the gate is always silu
		},
	}
	m.embedding = s.stored("backbone.embeddings.weight", "backbone.embedding.weight")
	m.prefix, m.norm = "backbone.layers.", "backbone.norm_f.weight"
	if m.mixer.inner.n == 0 {
		m.mixer.inner = r.expanded(m.hidden, "expand")
	}
	m.mixer.rank = r.sizeOrAuto("dt rank", "time_step_rank", m.hidden)
	return m
}

// expanded is the inner size that a factor and the hidden size give, where the
// config gives both.
func (r *reader) expanded(hidden size, key string) size {
	expand := r.number(0, key)
	if _, ok := r.keys.get(key); !ok || hidden.n == 0 {
		return size{what: "inner size"}
	}
	s := size{"inner size", int(min(expand*float64(hidden.n), 2*maxSize)), r.prefix + key + " and " + hidden.from}
	if s.n < 1 || s.n > maxSize {
		r.fail(fmt.Errorf("%s: have %v, of which with %v no inner size can be made", r.prefix+key, expand, hidden))
	}
	return s
}
