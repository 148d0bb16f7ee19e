package convert

import (
	"math"
	"strconv"

	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// What the layouts call the embedding: they agree on all other names.
const (
	hfEmbedding  = "backbone.embeddings.weight"
	ssmEmbedding = "backbone.embedding.weight"
)

const headMatrix = "lm_head.weight"

// backbone is the tensors of a checkpoint of Mamba, in either layout.
type backbone struct {
	source *Source
	dtype  string
	list   []container.Tensor
}

// tensors lists what the checkpoint holds in the order of use, as synth does;
// layer adds one layer.
func (c *backbone) tensors(e *family.Ends, embedding string, layers int, layer func(i int, prefix string)) []container.Tensor {
	c.matrix(embedding, e.Embedding)
	if e.Tied() { // behind its partner, on the same storage
		c.matrix(headMatrix, e.Head)
		c.list[len(c.list)-1].Tied = embedding
	}
	for i := range layers {
		layer(i, "backbone.layers."+strconv.Itoa(i)+".")
	}
	c.matrix("backbone.norm_f.weight", e.Norm)
	if !e.Tied() {
		c.matrix(headMatrix, e.Head)
	}
	return c.list
}

// matrix adds a parameter in the type of the checkpoint; one that the model
// does not have is nil.
func (c *backbone) matrix(name string, p *ir.Param) {
	if p != nil {
		c.add(name, p, elementType(p, c.dtype))
	}
}

// wide adds a parameter that decides how states decay.
func (c *backbone) wide(name string, p *ir.Param) { c.add(name, p, wideType(p, c.dtype)) }

func (c *backbone) add(name string, p *ir.Param, dtype tensor.DType) {
	values := &rounded{c.source.Checkpoint.Path, p, dtype.String()}
	c.list = append(c.list, container.Tensor{Name: name, DType: dtype, Shape: p.Shape, Source: values})
}

// expand is the ratio of the inner size to the hidden one. Readers multiply it
// by the hidden size and cut off what is behind the point.
func expand(inner, hidden int) float64 {
	ratio := float64(inner) / float64(hidden)
	for int(ratio*float64(hidden)) < inner {
		ratio = math.Nextafter(ratio, math.Inf(1))
	}
	return ratio
}
