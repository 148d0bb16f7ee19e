package family

func init() {
	register(Family{Name: "mixtral", Match: typed("mixtral"), Import: settled(importMixtral)})
}

// importMixtral reads Mixtral (families.md §13), from files as published or
// with the names that newer releases have in memory.
func importMixtral(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readLlama(r, s, 8, 1e-5, 1e6)
	m.attention.window = r.size("sliding window", "sliding_window").n
	m.experts = &experts{
		count:    r.sizeOr(8, "experts", "num_local_experts"),
		top:      r.sizeOr(2, "experts per token", "num_experts_per_tok"),
		inner:    m.mlp.inner,
		router:   "softmax_renorm",
		function: m.mlp.function,
		spellings: []expertNames{
			{router: "block_sparse_moe.gate.weight", each: "block_sparse_moe.experts.", gate: "w1.weight", up: "w3.weight", down: "w2.weight",
				fusedIn: "block_sparse_moe.experts.gate_up", fusedDown: "block_sparse_moe.experts.down"},
			{router: "mlp.gate.weight", fusedIn: "mlp.experts.gate_up_proj", fusedDown: "mlp.experts.down_proj"},
		},
	}
	return m.result(r, "mixtral")
}
