// Package gguftest reads what importer/gguf writes; for tests only.
package gguftest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/mambac/mambac/importer/gguf"
	"github.com/mambac/mambac/ir/tensor"
)

// File is a whole file in memory.
type File struct {
	Values  map[string]any // as of gguf.Pair
	Keys    []string       // in order
	Tensors []gguf.Tensor
	data    map[string][]byte
}

// Read reads a whole file and checks that the tensors fill it, each at its
// alignment and with zeros in between.
func Read(data []byte) (*File, error) {
	r := &reader{b: data}
	if string(r.next(4)) != "GGUF" || r.u32() != 3 {
		return nil, errors.New("no GGUF of version 3")
	}
	tensors, pairs := r.u64(), r.u64()
	f := &File{Values: map[string]any{}, data: map[string][]byte{}}
	for range pairs {
		key := r.text()
		f.Keys = append(f.Keys, key)
		f.Values[key] = r.value(r.u32())
	}
	var begin []uint64
	for range tensors {
		t := gguf.Tensor{Name: r.text(), Shape: make([]int, r.u32())}
		for i := range t.Shape {
			t.Shape[len(t.Shape)-1-i] = int(r.u64())
		}
		t.Type = gguf.Type(r.u32())
		f.Tensors, begin = append(f.Tensors, t), append(begin, r.u64())
	}
	if err := r.zeros(); err != nil {
		return nil, err
	}
	start := uint64(len(data) - len(r.b))
	for i, t := range f.Tensors {
		if at := uint64(len(data)-len(r.b)) - start; at != begin[i] {
			return nil, fmt.Errorf("%s begins at %d, want %d", t.Name, begin[i], at)
		}
		f.data[t.Name] = r.next(int(t.Type.Bytes(elements(t))))
		if err := r.zeros(); err != nil {
			return nil, fmt.Errorf("behind %s: %w", t.Name, err)
		}
	}
	return f, errors.Join(r.err, r.end())
}

func elements(t gguf.Tensor) int64 { return int64(tensor.Shape(t.Shape).Elements()) }

// Floats decodes the values of a tensor.
func (f *File) Floats(name string) ([]float32, error) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return decode(t.Type, f.data[name])
		}
	}
	return nil, fmt.Errorf("no tensor %s", name)
}

func decode(t gguf.Type, data []byte) ([]float32, error) {
	le := binary.LittleEndian
	var values []float32
	for len(data) > 0 {
		switch t {
		case gguf.F32:
			values, data = append(values, math.Float32frombits(le.Uint32(data))), data[4:]
		case gguf.F16:
			values, data = append(values, tensor.F16ToF32(le.Uint16(data))), data[2:]
		case gguf.BF16:
			values, data = append(values, tensor.BF16ToF32(le.Uint16(data))), data[2:]
		case gguf.Q8_0:
			scale := tensor.F16ToF32(le.Uint16(data))
			for _, q := range data[2:34] {
				values = append(values, scale*float32(int8(q)))
			}
			data = data[34:]
		default:
			return nil, fmt.Errorf("values of %v", t)
		}
	}
	return values, nil
}

// reader takes bytes off the front; the first error sticks.
type reader struct {
	b    []byte
	read int
	err  error
}

func (r *reader) next(n int) []byte {
	if n > len(r.b) {
		r.err, r.b = io.ErrUnexpectedEOF, nil
		return make([]byte, n)
	}
	p := r.b[:n]
	r.b, r.read = r.b[n:], r.read+n
	return p
}

func (r *reader) u32() uint32  { return binary.LittleEndian.Uint32(r.next(4)) }
func (r *reader) u64() uint64  { return binary.LittleEndian.Uint64(r.next(8)) }
func (r *reader) text() string { return string(r.next(int(r.u64()))) }

// zeros passes to the next multiple of 32.
func (r *reader) zeros() error {
	if n := -r.read & 31; bytes.Count(r.next(n), []byte{0}) != n && r.err == nil {
		r.err = errors.New("padding is not zero")
	}
	return r.err
}

func (r *reader) end() error {
	if len(r.b) > 0 {
		return fmt.Errorf("%d bytes behind the last tensor", len(r.b))
	}
	return nil
}

func (r *reader) value(kind uint32) any {
	switch kind {
	case 4:
		return r.u32()
	case 5:
		return int32(r.u32())
	case 6:
		return math.Float32frombits(r.u32())
	case 7:
		return r.next(1)[0] == 1
	case 8:
		return r.text()
	case 9:
		return r.array(r.u32(), int(r.u64()))
	}
	r.err = fmt.Errorf("a value of type %d", kind)
	return nil
}

func (r *reader) array(kind uint32, n int) any {
	var texts []string
	var numbers []int32
	for range n {
		switch v := r.value(kind).(type) {
		case string:
			texts = append(texts, v)
		case int32:
			numbers = append(numbers, v)
		}
	}
	if kind == 8 {
		return texts
	}
	return numbers
}
