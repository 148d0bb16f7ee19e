// Package gguf writes the format of llama.cpp, where named tensors follow
// typed pairs of keys and values; it sees ir/tensor.
package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

const (
	magic   = "GGUF"
	version = 3
	// alignment is that of the values of every tensor, in bytes; a file may say
	// otherwise, ours do not.
	alignment = 32
	// maxName is the longest name of a tensor that llama.cpp reads, in bytes.
	maxName = 63
)

// Pair is a key and its value: uint32, int32, float32, bool, string, []string
// or []int32.
type Pair struct {
	Key   string
	Value any
}

// Tensor describes one tensor of a file.
type Tensor struct {
	Name  string
	Type  Type
	Shape []int // slowest axis first, as everywhere but in the file
}

// bytes is the length of the values. Blocks do not reach over the end of a
// row.
func (t Tensor) bytes() (int64, error) {
	n := int64(1)
	for _, d := range t.Shape {
		if d < 1 || n > math.MaxInt64/8/int64(d) {
			return 0, fmt.Errorf("%s: shape %v cannot be stored", t.Name, t.Shape)
		}
		n *= int64(d)
	}
	if len(t.Name) > maxName {
		return 0, fmt.Errorf("%s: a name of %d bytes, want at most %d", t.Name, len(t.Name), maxName)
	}
	if len(t.Shape) == 0 || t.Shape[len(t.Shape)-1]%t.Type.Block() != 0 {
		return 0, fmt.Errorf("%s: %v in rows of %v, want a multiple of %d", t.Name, t.Type, t.Shape, t.Type.Block())
	}
	return t.Type.Bytes(n), nil
}

// Writer streams the values of the tensors it was made for, in their order.
type Writer struct {
	w    io.Writer
	left []int64 // bytes that tensors still want
	pad  []int   // zeros behind each of them
}

// NewWriter writes what precedes the values. The same arguments give the same
// bytes.
func NewWriter(w io.Writer, pairs []Pair, tensors []Tensor) (*Writer, error) {
	head, err := header(pairs, tensors)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	out := &Writer{w: w}
	for _, t := range tensors {
		n, err := t.bytes()
		if err != nil {
			return nil, err
		}
		out.left, out.pad = append(out.left, n), append(out.pad, int(aligned(n)-n))
	}
	return out, nil
}

// Write adds encoded values; blocks need not end where tensors do.
func (w *Writer) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		if len(w.left) == 0 {
			return written, fmt.Errorf("%d bytes behind the last tensor", len(p)-written)
		}
		n, err := w.w.Write(p[written:min(int64(len(p)), int64(written)+w.left[0])])
		written, w.left[0] = written+n, w.left[0]-int64(n)
		if err != nil {
			return written, err
		}
		if err := w.endTensor(); err != nil {
			return written, err
		}
	}
	return written, nil
}

// endTensor fills up behind a tensor that is whole.
func (w *Writer) endTensor() error {
	if w.left[0] > 0 {
		return nil
	}
	_, err := w.w.Write(make([]byte, w.pad[0]))
	w.left, w.pad = w.left[1:], w.pad[1:]
	return err
}

// Close checks that every tensor was written; it does not close the file.
func (w *Writer) Close() error {
	if len(w.left) > 0 {
		return fmt.Errorf("%d tensors are not whole", len(w.left))
	}
	return nil
}

// Size is the length of a whole file, and tells what cannot be written.
func Size(pairs []Pair, tensors []Tensor) (int64, error) {
	head, err := header(pairs, tensors)
	if err != nil {
		return 0, err
	}
	total := int64(len(head))
	for _, t := range tensors {
		n, err := t.bytes()
		if err != nil {
			return 0, err
		}
		total += aligned(n)
	}
	return total, nil
}

// aligned is n rounded up to where a tensor may begin.
func aligned(n int64) int64 { return (n + alignment - 1) / alignment * alignment }

// header is the bytes before the values.
func header(pairs []Pair, tensors []Tensor) ([]byte, error) {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte(magic), version)
	b = le.AppendUint64(b, uint64(len(tensors)))
	b = le.AppendUint64(b, uint64(len(pairs)))
	for _, p := range pairs {
		var err error
		if b, err = appendValue(appendString(b, p.Key), p.Value); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Key, err)
		}
	}
	seen := map[string]bool{}
	at := int64(0)
	for _, t := range tensors {
		n, err := t.bytes()
		if err != nil {
			return nil, err
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("%s: a name that is taken", t.Name)
		}
		seen[t.Name] = true
		b = appendTensor(b, t, at)
		at += aligned(n)
	}
	return append(b, make([]byte, aligned(int64(len(b)))-int64(len(b)))...), nil
}

// appendTensor adds what the header says of a tensor: its fastest axis comes
// first.
func appendTensor(b []byte, t Tensor, at int64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(appendString(b, t.Name), uint32(len(t.Shape)))
	for _, d := range slices.Backward(t.Shape) {
		b = le.AppendUint64(b, uint64(d))
	}
	return le.AppendUint64(le.AppendUint32(b, uint32(t.Type)), uint64(at))
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// The types of values that are written here.
const (
	typeUint32  = 4
	typeInt32   = 5
	typeFloat32 = 6
	typeBool    = 7
	typeString  = 8
	typeArray   = 9
)

// appendValue adds a value behind its type.
func appendValue(b []byte, value any) ([]byte, error) {
	le := binary.LittleEndian
	switch v := value.(type) {
	case uint32:
		return le.AppendUint32(le.AppendUint32(b, typeUint32), v), nil
	case int32:
		return le.AppendUint32(le.AppendUint32(b, typeInt32), uint32(v)), nil
	case float32:
		return le.AppendUint32(le.AppendUint32(b, typeFloat32), math.Float32bits(v)), nil
	case bool:
		b = le.AppendUint32(b, typeBool)
		if v {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case string:
		return appendString(le.AppendUint32(b, typeString), v), nil
	case []string:
		b = appendArray(b, typeString, len(v))
		for _, s := range v {
			b = appendString(b, s)
		}
		return b, nil
	case []int32:
		b = appendArray(b, typeInt32, len(v))
		for _, n := range v {
			b = le.AppendUint32(b, uint32(n))
		}
		return b, nil
	}
	return nil, errors.New("a value of a type that is not written here")
}

func appendArray(b []byte, of uint32, n int) []byte {
	le := binary.LittleEndian
	return le.AppendUint64(le.AppendUint32(le.AppendUint32(b, typeArray), of), uint64(n))
}
