package family

import "github.com/mambac/mambac/importer/block"

func init() {
	register(Family{Name: "falcon_mamba", Match: typed("falcon_mamba"), Import: settled(importFalconMamba)})
}

// importFalconMamba reads Falcon-Mamba (families.md §6): Mamba whose mixers norm
// δ, B and C, by weights that are all 1 and not stored.
func importFalconMamba(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readMamba(r, s)
	m.norms = &block.Mamba1Norms{Eps: r.epsilon(1e-6, "mixer_rms_eps")}
	return m.result(r, "falcon_mamba")
}
