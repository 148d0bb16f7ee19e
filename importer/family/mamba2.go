package family

import (
	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

func init() {
	register(Family{Name: "mamba2", Match: typed("mamba2"), Import: settled(importMamba2)})
}

// mamba2 is Mamba-2 in the Hugging Face layout (families.md §7).
type mamba2 struct {
	trunk
	mixer mixer2
}

// importMamba2 reads Mamba-2 as Hugging Face writes it.
func importMamba2(c Keys, s *Set) (*Result, error) {
	r := &reader{keys: c}
	m := readMamba2(r, s)
	if err := firstError(r.failed, m.prepare, m.fits); err != nil {
		return nil, err
	}
	return m.result(c)
}

// readMamba2 takes the norm over the whole width, whatever norm_before_gate
// says, which this layout's own implementation does not read.
func readMamba2(r *reader, s *Set) *mamba2 {
	m := &mamba2{trunk: readTrunk(r, s, "layer_norm_epsilon", 1e-5, false)}
	m.backbone()
	m.mixer = mixer2{
		inner:      r.expanded(m.hidden, "expand"),
		heads:      r.size("heads", "num_heads"),
		headDim:    r.size("head dim", "head_dim"),
		groups:     r.sizeOr(8, "groups", "n_groups"),
		states:     r.size("state size", "state_size"),
		taps:       r.size("conv kernel", "conv_kernel"),
		inBias:     r.flag(false, "use_bias"),
		convBias:   r.flag(true, "use_conv_bias"),
		activation: r.activation("hidden_act"),
		gate:       wholeNorm,
		eps:        m.eps,
	}
	m.mixer.outBias = m.mixer.inBias
	m.mixer.low, m.mixer.high = r.limits("time_step_limit")
	return m
}

func (m *mamba2) prepare() error {
	names := append([]string{"norm.weight"}, m.mixer.names("mixer.")...)
	if err := m.trunk.prepare(func(int) []string { return names }); err != nil {
		return err
	}
	m.mixer.learn(m.set, m.prefix+"0.mixer.")
	return m.set.check()
}

// result is the model.
func (m *mamba2) result(c Keys) (*Result, error) {
	a := &Mamba2{}
	result, err := m.assemble(c, "mamba2", func(_ int, prefix string) layer {
		norm := m.set.shaped(prefix+"norm.weight", m.hidden.times(1))
		mixer := m.mixer.parameters(m.set, prefix+"mixer.", m.hidden)
		a.Layers = append(a.Layers, MixerLayer[*block.Mamba2]{norm, mixer})
		return func(b *build.Builder, x, _ *ir.Value, region string) *ir.Value {
			return b.Add(x, mixer.Append(b, b.RMSNorm(x, norm, m.eps), region))
		}
	}, m.mixer.facts()...)
	if err != nil {
		return nil, err
	}
	a.Ends, result.Architecture = m.ends(), a
	return result, nil
}
