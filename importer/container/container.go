// Package container writes tensors in every container of checkpoints; it sees
// ir/tensor and runtime/safetensors. importer/checkpoint reads what it writes.
package container

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/mambac/mambac/ir/tensor"
)

// Tensor is one tensor to be written. Nothing large is ever in memory: rows
// are asked for block by block, in order, and rounded to the element type.
type Tensor struct {
	Name   string
	DType  tensor.DType // F32, F16, BF16 or F64
	Shape  tensor.Shape
	Source tensor.Source // nil for a hole, where the container and the file can have one

	// Tied names an earlier tensor that has the same values, "" for none.
	// Torch containers put both names on one storage if they are in one file,
	// safetensors drops this one.
	Tied string
}

// Bytes is the length of the values.
func (t Tensor) Bytes() int64 { return int64(t.Shape.Elements()) * int64(t.DType.Size()) }

// Create makes one file of the checkpoint; whoever asked for it closes it.
type Create = func(name string) (io.WriteCloser, error)

// format is one of the containers.
type format struct {
	name string
	// write makes the files. Sharded containers begin another one after every
	// shardBytes of values, the rest ignore it.
	write func(tensors []Tensor, shardBytes int64, create Create) error
	holes bool // it can leave out values
}

var formats = map[string]format{}

// register adds a container; called from init of the file that defines it.
func register(f format) {
	if _, ok := formats[f.name]; ok {
		panic("BUG: container " + f.name + " is registered twice")
	}
	formats[f.name] = f
}

// Names lists the registered containers, sorted.
func Names() []string {
	var names []string
	for name := range formats {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Check fails for what is no name of a container.
func Check(name string) error {
	if _, ok := formats[name]; !ok {
		return fmt.Errorf("container %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	return nil
}

// CheckHoles is Check for containers that can leave out values.
func CheckHoles(name string) error {
	if err := Check(name); err != nil || formats[name].holes {
		return err
	}
	var able []string
	for _, other := range Names() {
		if formats[other].holes {
			able = append(able, other)
		}
	}
	return fmt.Errorf("container %s cannot leave out values: want one of %s", name, strings.Join(able, ", "))
}

// Skipper is a file that can have holes: bytes that take no room and read as
// zeros.
type Skipper interface {
	Skip(n int64) error
}

// skip leaves a hole of n bytes.
func skip(w io.Writer, n int64) error {
	s, ok := w.(Skipper)
	if !ok {
		return errors.New("the file cannot have holes")
	}
	return s.Skip(n)
}

// Write makes the weight files of a checkpoint, in one of the containers.
func Write(name string, tensors []Tensor, shardBytes int64, create Create) error {
	if err := Check(name); err != nil {
		return err
	}
	return formats[name].write(tensors, shardBytes, create)
}

// blockElements is how many values are in memory at once, unless a single row
// has more.
const blockElements = 64 << 10

// writeValues streams the values of one tensor, little-endian.
func writeValues(w io.Writer, t Tensor) error {
	if t.Source == nil {
		return skip(w, t.Bytes())
	}
	row, rows := t.Shape.Row(), t.Shape.Rows()
	n := min(max(1, blockElements/max(1, row)), rows)
	values := make([]float32, n*row)
	raw := make([]byte, 0, len(values)*t.DType.Size())
	for lo := 0; lo < rows; lo += n {
		hi := min(lo+n, rows)
		values = values[:(hi-lo)*row]
		if err := t.Source.ReadRows(values, lo, hi); err != nil {
			return err
		}
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
