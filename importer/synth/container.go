// Package synth writes seeded random checkpoints of any family, in every
// container, for tests and benchmarks.
package synth

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/mambac/mambac/ir/tensor"
)

// Tensor is one tensor to be written. Nothing large is ever in memory: values
// are asked for block by block.
type Tensor struct {
	Name  string
	DType tensor.DType // F32, F16, BF16 or F64
	Shape tensor.Shape

	// Fill sets dst to the values from element offset on; offsets ascend and
	// blocks follow each other without gaps.
	Fill func(dst []float32, offset int64)

	// Tied names an earlier tensor that has the same values, "" for none.
	// Torch containers put both names on one storage if they are in one file,
	// safetensors drops this one.
	Tied string
}

// Bytes is the length of the values.
func (t Tensor) Bytes() int64 { return int64(t.Shape.Elements()) * int64(t.DType.Size()) }

// Create makes one file of the checkpoint; whoever asked for it closes it.
type Create = func(name string) (io.WriteCloser, error)

// container is one of the formats of checkpoints.
type container struct {
	name string
	tied bool // it can store two names for one tensor
	// write makes the files. Sharded containers begin another one after every
	// shardBytes of values, the rest ignore it.
	write func(tensors []Tensor, shardBytes int64, create Create) error
}

var containers = map[string]container{}

// registerContainer adds a container; called from init of the file that
// defines it.
func registerContainer(c container) {
	if _, ok := containers[c.name]; ok {
		panic("BUG: container " + c.name + " is registered twice")
	}
	containers[c.name] = c
}

// Containers lists the registered containers, sorted.
func Containers() []string {
	var names []string
	for name := range containers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func lookup(name string) (container, error) {
	c, ok := containers[name]
	if !ok {
		return container{}, fmt.Errorf("container %q: want one of %s", name, strings.Join(Containers(), ", "))
	}
	return c, nil
}

// WriteTensors makes the weight files of a checkpoint of any tensors, in one
// of the Containers.
func WriteTensors(container string, tensors []Tensor, shardBytes int64, create Create) error {
	c, err := lookup(container)
	if err != nil {
		return err
	}
	return c.write(tensors, shardBytes, create)
}

// blockElements is how many values are in memory at once.
const blockElements = 64 << 10

// writeValues streams the values of one tensor, little-endian.
func writeValues(w io.Writer, t Tensor) error {
	total := int64(t.Shape.Elements())
	values := make([]float32, min(total, blockElements))
	raw := make([]byte, 0, len(values)*t.DType.Size())
	for at := int64(0); at < total; at += int64(len(values)) {
		values = values[:min(int64(len(values)), total-at)]
		t.Fill(values, at)
		var err error
		if raw, err = appendValues(raw[:0], t.DType, values); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return nil
}

// appendValues rounds values to the element type.
func appendValues(b []byte, dtype tensor.DType, values []float32) ([]byte, error) {
	le := binary.LittleEndian
	switch dtype {
	case tensor.F32:
		for _, v := range values {
			b = le.AppendUint32(b, math.Float32bits(v))
		}
	case tensor.F16:
		for _, v := range values {
			b = le.AppendUint16(b, tensor.F32ToF16(v))
		}
	case tensor.BF16:
		for _, v := range values {
			b = le.AppendUint16(b, tensor.F32ToBF16(v))
		}
	case tensor.F64:
		for _, v := range values {
			b = le.AppendUint64(b, math.Float64bits(float64(v)))
		}
	default:
		return nil, fmt.Errorf("cannot write %v, want f32, f16, bf16 or f64", dtype)
	}
	return b, nil
}

// writeFile makes one file and fills it.
func writeFile(create Create, name string, fill func(w io.Writer) error) error {
	f, err := create(name)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
