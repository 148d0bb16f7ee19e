package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// mamba1 is Mamba-1 in the Hugging Face layout, or Falcon-Mamba (families.md §6).
type mamba1 struct {
	trunk
	mixer mixer1
	norms *block.Mamba1Norms // in every mixer; nil for none
}

// prepare proves that nothing is missing and learns the sizes that the config
// does not give.
func (m *mamba1) prepare() error {
	names := append([]string{"norm.weight"}, m.mixer.names("mixer.")...)
	if err := m.trunk.prepare(func(int) []string { return names }); err != nil {
		return err
	}
	m.mixer.learn(m.set, m.prefix+"0.mixer.")
	return m.set.check()
}

// result is the model.
func (m *mamba1) result(r *reader, name string) (*Result, error) {
	if err := firstError(r.failed, m.prepare, m.fits); err != nil {
		return nil, err
	}
	a := &Mamba1{}
	result, err := m.assemble(r.keys, name, func(_ int, prefix string) layer {
		norm := m.set.shaped(prefix+"norm.weight", m.hidden.times(1))
		mixer := m.mixer.parameters(m.set, prefix+"mixer.", m.hidden)
		mixer.Norms = m.norms
		a.Layers = append(a.Layers, MixerLayer[*block.Mamba1]{norm, mixer})
		return func(b *build.Builder, x, _ *ir.Value, region string) *ir.Value {
			return b.Add(x, mixer.Append(b, b.RMSNorm(x, norm, m.eps), region))
		}
	}, m.mixer.facts()...)
	if err != nil || m.norms != nil {
		return result, err
	}
	a.Ends, result.Architecture = m.ends(), a
	return result, nil
}
