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

// scope collects parameters, in the order of use, whose names begin alike.
type scope struct {
	prefix string
	list   *[]parameter
}

// in is the scope of what lies within a part of the model.
func (s scope) in(name string) scope { return scope{s.prefix + name + ".", s.list} }

// add appends a tensor.
func (s scope) add(name string, fill filler, shape ...int) {
	*s.list = append(*s.list, parameter{name: s.prefix + name, shape: shape, fill: fill})
}

// keep is add for a tensor that stays float32.
func (s scope) keep(name string, fill filler, shape ...int) {
	*s.list = append(*s.list, parameter{name: s.prefix + name, shape: shape, fill: fill, keep: true})
}

// matrix appends NAME.weight [outputs,inputs], which gives inputs of deviation 1
// outputs of gain, and if asked for NAME.bias.
func (s scope) matrix(name string, outputs, inputs int, gain float64, bias bool) {
	s.add(name+".weight", linear(inputs, gain), outputs, inputs)
	if bias {
		s.add(name+".bias", small, outputs)
	}
}

// norm appends the weight of a norm.
func (s scope) norm(name string, width int) { s.add(name+".weight", near1, width) }

// ends are the matrices before and behind the layers.
type ends struct {
	vocabulary, hiddenSize int
	tied                   bool
	embedding, head        string  // names
	multiplier             float64 // of the embedding
	factor                 float64 // of the logits
}

// spread is the deviation of logits.
const spread = 1.5

// deviation is that of the rows of the head, which is the embedding if tied.
func (e *ends) deviation() float64 {
	return spread / (math.Sqrt(float64(e.hiddenSize)) * e.factor)
}

// begin appends the embedding and a head that is tied to it: behind its partner,
// in the same shard.
func (e *ends) begin(s scope) {
	d := spread / math.Sqrt(float64(e.hiddenSize))
	if e.tied {
		d = e.deviation()
	}
	s.add(e.embedding, normal(0, d), e.vocabulary, e.hiddenSize)
	if e.tied {
		*s.list = append(*s.list, parameter{name: s.prefix + e.head, shape: tensor.Shape{e.vocabulary, e.hiddenSize}, fill: normal(0, d), tied: s.prefix + e.embedding})
	}
}

// end appends a head of its own.
func (e *ends) end(s scope) {
	if !e.tied {
		s.add(e.head, normal(0, e.deviation()), e.vocabulary, e.hiddenSize)
	}
}

// gain is that of the last matrix of each of so many branches, all of which are
// multiplied before they are added to the residual: together they outweigh the
// embedding so far that a tied head does not just repeat the token.
func (e *ends) gain(branches int, multiplier float64) float64 {
	total := e.multiplier
	if e.tied {
		total /= e.factor
	}
	return total / (math.Sqrt(float64(branches)) * multiplier)
}

// near1 fills weights of norms and skip connections.
var near1 = normal(1, 0.1)

// small fills biases.
var small = normal(0, 0.1)

// linear fills a matrix so that inputs of deviation 1 give outputs of gain.
func linear(inputs int, gain float64) filler {
	return normal(0, gain/math.Sqrt(float64(inputs)))
}

// part is rows of a matrix that are filled alike.
type part struct {
	rows int
	fill filler
}

// parts fills a matrix, or a vector of one column, part below part.
func parts(columns int, list ...part) filler {
	return func(s stream, dst []float32, offset int64) {
		begin := int64(0)
		for _, p := range list {
			end := begin + int64(p.rows)*int64(columns)
			if lo, hi := max(begin, offset), min(end, offset+int64(len(dst))); lo < hi {
				p.fill(s, dst[lo-offset:hi-offset], lo)
			}
			begin = end
		}
	}
}

// rowsOf is the rows of all parts.
func rowsOf(list []part) int {
	n := 0
	for _, p := range list {
		n += p.rows
	}
	return n
}
