package family

import (
	"maps"
	"slices"
	"testing"

	"github.com/mambac/mambac/ir/tensor"
)

// fake is a checkpoint in memory; its values are zeros.
type fake map[string]Tensor

// Names implements Tensors.
func (f fake) Names() []string { return slices.Sorted(maps.Keys(f)) }

// Find implements Tensors.
func (f fake) Find(name string) (Tensor, bool) {
	t, ok := f[name]
	return t, ok
}

func (f fake) set(name string, shape ...int) {
	f[name] = Tensor{Name: name, DType: tensor.F32, Shape: shape,
		Source: &tensor.Dense{Shape: shape, Values: make([]float32, max(0, tensor.Shape(shape).Elements()))}}
}

// Sizes of the fakes, all different and none a multiple of another.
const (
	vocab, hidden, inner, states, taps, rank = 11, 6, 10, 3, 4, 5
)

// mambaFake is a checkpoint in the Hugging Face layout with two layers.
func mambaFake() fake {
	f := fake{}
	f.set("backbone.embeddings.weight", vocab, hidden)
	f.layers(2)
	return f
}

// stateSpacesFake is one in the state-spaces layout, with the padding that
// pad_vocab_size_multiple 4 asks for and the head that such files store.
func stateSpacesFake() fake {
	f := fake{}
	f.set("backbone.embedding.weight", 12, hidden)
	f.set("lm_head.weight", 12, hidden)
	f.layers(2)
	return f
}

func (f fake) layers(n int) {
	f.set("backbone.norm_f.weight", hidden)
	for i := range n {
		for name, shape := range map[string][]int{
			"norm.weight": {hidden}, "mixer.in_proj.weight": {2 * inner, hidden}, "mixer.conv1d.weight": {inner, 1, taps},
			"mixer.conv1d.bias": {inner}, "mixer.x_proj.weight": {rank + 2*states, inner}, "mixer.dt_proj.weight": {inner, rank},
			"mixer.dt_proj.bias": {inner}, "mixer.A_log": {inner, states}, "mixer.D": {inner}, "mixer.out_proj.weight": {hidden, inner},
		} {
			f.set(layerNames("backbone.layers.", i, []string{name})[0], shape...)
		}
	}
}

const mambaJSON = `{"model_type": "mamba", "vocab_size": 11, "hidden_size": 6, "num_hidden_layers": 2, "intermediate_size": 10,
	"state_size": 3, "conv_kernel": 4, "time_step_rank": 5, "eos_token_id": 2, "bos_token_id": 1}`

const stateSpacesJSON = `{"d_model": 6, "n_layer": 2, "vocab_size": 10, "pad_vocab_size_multiple": 4,
	"ssm_cfg": {"d_state": 3, "d_conv": 4, "dt_rank": 5, "expand": 1.7}}`

// imported is what happens to a config and tensors.
func imported(config string, f fake) (*Result, error) { return importedWith(config, f, nil) }

// importedWith is imported with choices that somebody made.
func importedWith(config string, f fake, asked map[string]string) (*Result, error) {
	choices, err := NewChoices(asked)
	if err != nil {
		return nil, err
	}
	keys, err := ParseKeys([]byte(config))
	if err != nil {
		return nil, err
	}
	family, err := Detect(keys)
	if err != nil {
		return nil, err
	}
	return family.Import(keys, NewSet(f), choices)
}

// must imports what is good.
func must(t *testing.T, config string, f fake) *Result {
	t.Helper()
	r, err := imported(config, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
