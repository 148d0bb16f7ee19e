package family

import (
	"fmt"
	"slices"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
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

// layoutEps is added to every mean square in this layout.
const layoutEps = 1e-5

// stateSpaces is a model in this layout: mixers of one kind, with attention in
// place of some and an MLP behind each, or not.
type stateSpaces struct {
	trunk
	mixer     stateMixer
	attention *mha // nil if no layer has it
	mlp       size // inner size; 0 without MLPs
	multiple  int  // of which the vocabulary is one when padded

	norms []*ir.Param // of the layers' input, in order
}

// stateMixer is what ssm_cfg says of mixers of one kind.
type stateMixer interface {
	// names lists what the mixer whose tensors have the prefix stores.
	names(prefix string) []string
	// learn reads the sizes that the config does not give off one mixer, and
	// proves that all of them go together.
	learn(s *Set, prefix string)
	// mixing is the mixer whose tensors have the prefix.
	mixing(s *Set, prefix string, width size) mixing
	// facts are the sizes worth showing.
	facts() []Fact
}

// stateMixers read ssm_cfg, by its layer.
var stateMixers = map[string]func(r *reader, hidden size, choices *Choices) stateMixer{
	"Mamba1": readStateMixer1,
	"Mamba2": readStateMixer2,
	"Mamba3": readMixer3,
}

// importStateSpaces reads Mamba-1, 2 and 3 in the state-spaces layout.
func importStateSpaces(c Keys, s *Set, choices *Choices) (*Result, error) {
	r := &reader{keys: c}
	m, name := readStateSpaces(r, s, choices)
	if err := firstError(r.failed, m.agree, m.prepare, m.padded, m.learn); err != nil {
		return nil, err
	}
	result, err := m.assemble(c, name, m.layer, m.facts()...)
	if err != nil {
		return nil, err
	}
	result.Architecture = m.architecture(name)
	return result, nil
}

// architecture is placed if a model of that name is mixers and nothing else.
func (m *stateSpaces) architecture(name string) Architecture {
	placed, ok := m.mixer.(interface {
		architecture(e Ends, norms []*ir.Param) Architecture
	})
	switch {
	case m.attention != nil:
		return unplaced(name + " with attention (attn_layer_idx)")
	case m.mlp.n > 0:
		return unplaced(name + " with MLPs (d_intermediate)")
	case m.centred:
		return unplaced(name + " with LayerNorm (rms_norm)")
	case !ok:
		return unplaced(name)
	}
	return placed.architecture(m.ends(), m.norms)
}

// readStateSpaces also gives the module's name.
func readStateSpaces(r *reader, s *Set, choices *Choices) (*stateSpaces, string) {
	m := &stateSpaces{
		trunk: trunk{
			set:       s,
			embedding: "backbone.embedding.weight",
			prefix:    "backbone.layers.",
			norm:      "backbone.norm_f.weight",
			vocab:     r.size("vocabulary size", "vocab_size"),
			hidden:    r.size("hidden size", "d_model"),
			layers:    r.size("number of layers", "n_layer"),
			eps:       layoutEps,
			tied:      r.flag(true, "tie_embeddings"),
			centred:   !r.flag(true, "rms_norm"),
		},
		mlp:      r.count(0, "inner size of MLPs", "d_intermediate"),
		multiple: r.sizeOr(8, "", "pad_vocab_size_multiple").n,
	}
	m.mlp.n = roundUp(m.mlp.n, 128)
	m.attention, m.rotary = r.mha(m.hidden, m.layers)
	mixer := r.object("ssm_cfg")
	kind := mixer.text("Mamba1", "layer")
	read := stateMixers[kind]
	if read == nil {
		mixer.fail(fmt.Errorf("ssm_cfg.layer: %s is not supported; known are Mamba1, Mamba2, Mamba3", printable(kind)))
		read = readStateMixer1
	}
	m.mixer = read(mixer, m.hidden, choices)
	r.take(mixer)
	return m, map[string]string{"Mamba1": "mamba", "Mamba2": "mamba2", "Mamba3": "mamba3"}[kind]
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

// padded checks that the vocabulary, rounded up, is what is stored.
func (m *stateSpaces) padded() error {
	if want := roundUp(m.vocab.n, m.multiple); m.vocab.n > 0 && want != m.rows.n {
		return fmt.Errorf("config.json: vocab_size %d padded to a multiple of pad_vocab_size_multiple, %d, gives %d rows, but %s has %d; is config.json from this checkpoint?",
			m.vocab.n, m.multiple, want, m.embedding, m.rows.n)
	}
	return nil
}

// attends reports whether a layer is attention.
func (m *stateSpaces) attends(i int) bool {
	return m.attention != nil && slices.Contains(m.attention.layers, i)
}

// agree holds the list of attention layers against what is stored: mixers of
// every other kind have a D.
func (m *stateSpaces) agree() error {
	for _, i := range m.set.layers(m.prefix) {
		prefix := fmt.Sprintf("%s%d.mixer.", m.prefix, i)
		switch name := prefix + "D"; {
		case m.attends(i) && m.set.has(name):
			return fmt.Errorf("config.json: attn_layer_idx says that layer %d is attention, but there is %s; is config.json from this checkpoint?", i, name)
		case !m.attends(i) && !m.set.has(name) && m.set.has(prefix+"in_proj.weight"):
			return fmt.Errorf("config.json: attn_layer_idx does not list layer %d, but there is no %s; is config.json from this checkpoint?", i, name)
		}
	}
	return nil
}

func (m *stateSpaces) prepare() error {
	return m.trunk.prepare(func(i int) []string {
		list := append(m.normNames("norm.weight"), m.mixer.names("mixer.")...)
		if m.attends(i) {
			list = append(m.normNames("norm.weight"), m.attention.names("mixer.")...)
		}
		if m.mlp.n > 0 {
			list = append(append(list, m.normNames("norm2.weight")...), "mlp.fc1.weight", "mlp.fc2.weight")
		}
		return list
	})
}

// learn reads the sizes of mixers off the first.
func (m *stateSpaces) learn() error {
	for i := range m.layers.n {
		if !m.attends(i) {
			m.mixer.learn(m.set, fmt.Sprintf("%s%d.mixer.", m.prefix, i))
			return m.set.check()
		}
	}
	return nil
}

// stateLayer appends a mixer or attention of the normed input.
type stateLayer func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value

// layer is a mixer or attention and then the MLP, each of the norm of the
// stream.
func (m *stateSpaces) layer(i int, prefix string) layer {
	norm, bias := m.normOf(prefix + "norm.weight")
	mix, forward := m.mix(i, prefix+"mixer."), m.forward(prefix)
	m.norms = append(m.norms, norm)
	return func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
		x = b.Add(x, mix(b, m.normed(b, x, norm, bias), angles, region))
		return forward(b, x)
	}
}

func (m *stateSpaces) mix(i int, prefix string) stateLayer {
	if m.attends(i) {
		p := m.attention.parameters(m.set, prefix, m.hidden)
		return func(b *build.Builder, x, angles *ir.Value, region string) *ir.Value {
			return p.Append(b, x, region, angles)
		}
	}
	mix := m.mixer.mixing(m.set, prefix, m.hidden)
	return func(b *build.Builder, x, _ *ir.Value, region string) *ir.Value { return mix(b, x, region) }
}

// forward is the MLP with its norm and the addition to the stream.
func (m *stateSpaces) forward(prefix string) func(b *build.Builder, x *ir.Value) *ir.Value {
	if m.mlp.n == 0 {
		return func(_ *build.Builder, x *ir.Value) *ir.Value { return x }
	}
	norm, bias := m.normOf(prefix + "norm2.weight")
	p := &block.GatedMLP{
		In:  m.set.shaped(prefix+"mlp.fc1.weight", m.mlp.times(2), m.hidden.times(1)),
		Out: m.set.shaped(prefix+"mlp.fc2.weight", m.hidden.times(1), m.mlp.times(1)),
	}
	return func(b *build.Builder, x *ir.Value) *ir.Value {
		return b.Add(x, p.Append(b, m.normed(b, x, norm, bias)))
	}
}

func (m *stateSpaces) facts() []Fact {
	var list []Fact
	if m.attention == nil || len(m.attention.layers) < m.layers.n {
		list = append(list, m.mixer.facts()...)
	}
	if m.attention != nil {
		list = append(list, m.attention.facts()...)
	}
	if m.mlp.n > 0 {
		list = append(list, Fact{"inner size of MLPs", m.mlp.n})
	}
	return list
}
