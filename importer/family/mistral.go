package family

func init() {
	register(Family{Name: "mistral", Match: typed("mistral"), Import: settled(importMistral)})
}

// importMistral reads Mistral (families.md §13). A config that does not speak
// of the window has the default one; one that says null has none.
func importMistral(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readLlama(r, s, 8, 1e-6, 1e4)
	m.attention.window = 4096
	if c.saysNull("sliding_window") {
		m.attention.window = 0
	} else if window := r.size("sliding window", "sliding_window"); window.n > 0 {
		m.attention.window = window.n
	}
	return m.result(r, "mistral")
}
