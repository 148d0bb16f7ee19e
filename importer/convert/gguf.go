package convert

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/importer/gguf"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

func init() {
	register(Target{
		Name: "gguf", About: "one file as llama.cpp reads it, with the tokenizer in it",
		DTypes: []string{"f32", "f16", "bf16", "q8_0"},
	})
}

// ggufModel is a file on its way: what precedes the values, and the parameters
// that they are read from. The first error sticks.
type ggufModel struct {
	source  *Source
	dtype   string
	pairs   []gguf.Pair
	tensors []gguf.Tensor
	values  []*ir.Param // nil for zeros
	err     error
}

func (g *ggufModel) pair(key string, value any) {
	g.pairs = append(g.pairs, gguf.Pair{Key: key, Value: value})
}

// size adds a number of the model.
func (g *ggufModel) size(key string, n int) { g.pair(key, uint32(n)) }

// begin adds what every file says first.
func (g *ggufModel) begin(architecture string, largest gguf.Type) {
	g.pair("general.architecture", architecture)
	g.pair("general.name", g.source.Name)
	g.pair("general.file_type", fileTypes[largest])
	g.pair("general.quantization_version", uint32(2))
}

// fileTypes is the format's number for a file whose matrices are mostly of a
// type.
var fileTypes = map[gguf.Type]uint32{gguf.F32: 0, gguf.F16: 1, gguf.Q8_0: 7, gguf.BF16: 32}

// elementTypes is the format's types for ours.
var elementTypes = map[tensor.DType]gguf.Type{tensor.F32: gguf.F32, tensor.F16: gguf.F16, tensor.BF16: gguf.BF16}

// chosen is the type of a large matrix.
func (g *ggufModel) chosen(p *ir.Param) gguf.Type {
	if g.dtype == "q8_0" {
		return gguf.Q8_0
	}
	return elementTypes[elementType(p, g.dtype)]
}

// ends adds what is around the layers. A tied head is the embedding there too.
func (g *ggufModel) ends(e *family.Ends) {
	g.matrix("token_embd.weight", e.Embedding)
	g.small("output_norm.weight", e.Norm, e.Norm.Shape...)
	if !e.Tied() {
		g.matrix("output.weight", e.Head)
	}
}

// matrix adds a matrix in the chosen type.
func (g *ggufModel) matrix(name string, p *ir.Param) {
	as := g.chosen(p)
	if row := p.Shape.Row(); row%as.Block() != 0 && g.err == nil {
		g.err = fmt.Errorf("%s: %s needs rows of a multiple of %d, have %v; choose --dtype f16, bf16 or f32", p.Name, g.dtype, as.Block(), p.Shape)
	}
	g.add(name, as, p.Shape, p)
}

// project adds a matrix and its bias, which may be nil.
func (g *ggufModel) project(name string, w, bias *ir.Param) {
	g.matrix(name+".weight", w)
	if bias != nil {
		g.small(name+".bias", bias, bias.Shape...)
	}
}

// stack adds a matrix as so many, one behind the other.
func (g *ggufModel) stack(name string, p *ir.Param, count int) {
	g.matrix(name, p)
	g.tensors[len(g.tensors)-1].Shape = []int{count, p.Shape[0] / count, p.Shape[1]}
}

// narrow adds a matrix whose rows need not be whole blocks: llama.cpp keeps
// such ones in float16 in files of any quantised type.
func (g *ggufModel) narrow(name string, p *ir.Param) {
	as := g.chosen(p)
	if p.Shape.Row()%as.Block() != 0 {
		as = gguf.F16
	}
	g.add(name, as, p.Shape, p)
}

// small adds a parameter that llama.cpp wants in float32, in the given shape.
func (g *ggufModel) small(name string, p *ir.Param, shape ...int) {
	g.add(name, gguf.F32, shape, p)
}

func (g *ggufModel) add(name string, as gguf.Type, shape []int, p *ir.Param) {
	g.tensors = append(g.tensors, gguf.Tensor{Name: name, Type: as, Shape: shape})
	g.values = append(g.values, p)
}

// conversion is the file, if nothing was wrong.
func (g *ggufModel) conversion() (*Conversion, error) {
	if g.err != nil {
		return nil, g.err
	}
	bytes, err := gguf.Size(g.pairs, g.tensors)
	if err != nil {
		return nil, err
	}
	return &Conversion{Tensors: len(g.tensors), Bytes: bytes, parts: []part{file("", g.write)}}, nil
}

func (g *ggufModel) write(w io.Writer) error {
	out, err := gguf.NewWriter(w, g.pairs, g.tensors)
	if err != nil {
		return err
	}
	b := &ggufBlock{path: g.source.Checkpoint.Path, out: out}
	for i, t := range g.tensors {
		if err := b.tensor(t, g.values[i]); err != nil {
			return err
		}
	}
	return out.Close()
}

// ggufBlock holds the values that are under way, as read and as encoded.
type ggufBlock struct {
	path   string
	out    *gguf.Writer
	values []float32
	raw    []byte
}

// blockElements is how many values are in memory at once, unless a single row
// has more.
const blockElements = 64 << 10

// tensor streams one tensor; without a parameter it is zeros.
func (b *ggufBlock) tensor(t gguf.Tensor, p *ir.Param) error {
	if p == nil {
		b.values = make([]float32, tensor.Shape(t.Shape).Elements())
		return b.flush(t)
	}
	source := &rounded{b.path, p, strings.ToLower(t.Type.String())}
	row, rows := p.Shape.Row(), p.Shape.Rows()
	n := max(1, blockElements/row)
	for lo := 0; lo < rows; lo += n {
		hi := min(lo+n, rows)
		if need := (hi - lo) * row; cap(b.values) < need {
			b.values = make([]float32, need)
		}
		b.values = b.values[:(hi-lo)*row]
		if err := source.ReadRows(b.values, lo, hi); err != nil {
			return err
		}
		if p.Transform == ir.NegExp {
			for i, v := range b.values {
				b.values[i] = float32(-math.Exp(float64(v)))
			}
		}
		if err := b.flush(t); err != nil {
			return err
		}
	}
	return nil
}

func (b *ggufBlock) flush(t gguf.Tensor) error {
	b.raw = t.Type.Append(b.raw[:0], b.values)
	_, err := b.out.Write(b.raw)
	return err
}
