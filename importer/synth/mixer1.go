package synth

import (
	"math"

	"github.com/mambac/mambac/ir/tensor"
)

// parameter is one tensor of a checkpoint to be made.
type parameter struct {
	name  string
	shape tensor.Shape
	fill  filler
	// keep marks a tensor that stays float32 in a checkpoint of 16-bit type.
	keep bool
	tied string // the tensor whose values this one shares, "" for none
}

// mixer1 is the sizes of a Mamba-1 model, by the names of families.md §1.1.
type mixer1 struct {
	hiddenSize, layers, vocabulary   int
	innerSize, stateSize, convKernel int
	dtRank                           int
	bias, convBias, tied             bool
	embedding                        string // name of the matrix
}

// parameters lists the tensors of the whole model in the order of use.
// Deviations keep activations near 1 and logits within a few units at any
// depth: linears have 1/√(inputs), what is added to the residual also 1/√L.
func (m *mixer1) parameters() []parameter {
	matrix := normal(0, 1.5/math.Sqrt(float64(m.hiddenSize)))
	shape := tensor.Shape{m.vocabulary, m.hiddenSize}
	list := []parameter{{name: m.embedding, shape: shape, fill: matrix}}
	head := parameter{name: "lm_head.weight", shape: shape, fill: matrix}
	if m.tied { // behind its partner, in the same shard
		head.tied = m.embedding
		list = append(list, head)
	}
	for i := range m.layers {
		list = append(list, m.layer("backbone.layers."+itoa(i)+".")...)
	}
	list = append(list, parameter{name: "backbone.norm_f.weight", shape: tensor.Shape{m.hiddenSize}, fill: near1})
	if !m.tied {
		list = append(list, head)
	}
	return list
}

// near1 fills weights of norms and skip connections.
var near1 = normal(1, 0.1)

func (m *mixer1) layer(prefix string) []parameter {
	d, e, n, r, k := m.hiddenSize, m.innerSize, m.stateSize, m.dtRank, m.convKernel
	mixer := prefix + "mixer."
	list := []parameter{
		{name: prefix + "norm.weight", shape: tensor.Shape{d}, fill: near1},
		{name: mixer + "in_proj.weight", shape: tensor.Shape{2 * e, d}, fill: linear(d, 1)},
		{name: mixer + "conv1d.weight", shape: tensor.Shape{e, 1, k}, fill: linear(k, 1)},
		{name: mixer + "x_proj.weight", shape: tensor.Shape{r + 2*n, e}, fill: linear(e, 1)},
		{name: mixer + "dt_proj.weight", shape: tensor.Shape{e, r}, fill: linear(r, 0.5)},
		{name: mixer + "dt_proj.bias", shape: tensor.Shape{e}, fill: timeSteps},
		{name: mixer + "A_log", shape: tensor.Shape{e, n}, fill: decayRates(n), keep: true},
		{name: mixer + "D", shape: tensor.Shape{e}, fill: near1, keep: true},
		{name: mixer + "out_proj.weight", shape: tensor.Shape{d, e}, fill: linear(e, 1/math.Sqrt(float64(m.layers)))},
	}
	if m.convBias {
		list = append(list, parameter{name: mixer + "conv1d.bias", shape: tensor.Shape{e}, fill: small})
	}
	if m.bias {
		list = append(list,
			parameter{name: mixer + "in_proj.bias", shape: tensor.Shape{2 * e}, fill: small},
			parameter{name: mixer + "out_proj.bias", shape: tensor.Shape{d}, fill: small})
	}
	return list
}

// small fills biases.
var small = normal(0, 0.1)

// linear fills a matrix so that inputs of deviation 1 give outputs of gain.
func linear(inputs int, gain float64) filler {
	return normal(0, gain/math.Sqrt(float64(inputs)))
}
