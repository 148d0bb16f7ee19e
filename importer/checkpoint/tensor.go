package checkpoint

import (
	"fmt"
	"slices"
	"sync"

	"github.com/mambac/mambac/ir/tensor"
)

// Tensor is one tensor of a checkpoint; it is a tensor.Source. Several
// goroutines may read it at once.
type Tensor struct {
	Name  string
	DType tensor.DType // as stored
	Shape tensor.Shape
	File  string // path of the file that holds the values

	src     *source
	begin   int64 // of the storage, in bytes from the start of the file
	offset  int64 // of the tensor in its storage, in elements
	strides []int
	dense   bool // elements follow each other in order
}

// newTensor checks a view against a storage of length bytes at begin.
func newTensor(src *source, name string, dtype tensor.DType, begin, length int64, v view) (*Tensor, error) {
	if err := v.check(length / int64(dtype.Size())); err != nil {
		return nil, err
	}
	return &Tensor{
		Name: name, DType: dtype, Shape: v.shape, File: src.path,
		src: src, begin: begin, offset: v.offset, strides: v.strides, dense: v.isContiguous(),
	}, nil
}

// SameData reports whether two tensors are names of the same stored values in
// the same arrangement, as a tied head and embedding are.
func (t *Tensor) SameData(other *Tensor) bool {
	return t.src == other.src && t.DType == other.DType &&
		t.begin == other.begin && t.offset == other.offset &&
		t.Shape.Equal(other.Shape) && slices.Equal(t.strides, other.strides)
}

// Flatten implements tensor.Flattener: a view of the same values with the first
// two axes as one.
func (t *Tensor) Flatten() (tensor.Source, error) {
	if len(t.Shape) < 2 {
		return nil, fmt.Errorf("shape %v has no two axes to make one of", t.Shape)
	}
	step := t.strides[1]
	switch {
	case t.Shape[1] == 1:
		step = t.strides[0]
	case t.Shape[0] > 1 && t.strides[0] != t.Shape[1]*step:
		return nil, fmt.Errorf("shape %v is stored with strides %v, of whose first two axes no one can be made", t.Shape, t.strides)
	}
	flat := *t
	flat.Shape = append(tensor.Shape{t.Shape[0] * t.Shape[1]}, t.Shape[2:]...)
	flat.strides = append([]int{step}, t.strides[2:]...)
	return &flat, nil
}

// blockElements is how many elements are read at once.
const blockElements = 256 << 10

// buffers hold one block as stored and widened.
type buffers struct {
	raw    [8 * blockElements]byte
	values [blockElements]float32
}

var bufferPool = sync.Pool{New: func() any { return new(buffers) }}

// ReadRows implements tensor.Source. Its own memory is one block, however
// large the rows.
func (t *Tensor) ReadRows(dst []float32, lo, hi int) error {
	row := t.Shape.Row()
	if lo < 0 || hi < lo || hi > t.Shape.Rows() || len(dst) != (hi-lo)*row {
		panic(fmt.Sprintf("BUG: rows [%d, %d) of %s %v into %d values", lo, hi, t.Name, t.Shape, len(dst)))
	}
	if len(dst) == 0 {
		return nil
	}
	b := bufferPool.Get().(*buffers)
	defer bufferPool.Put(b)
	var err error
	if t.dense {
		err = t.readDense(b, dst, t.offset+int64(lo)*int64(row))
	} else {
		g := gather{t: t, b: b, dst: dst}
		err = g.rows(lo, hi)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", printable(t.File), printable(t.Name), err)
	}
	return nil
}

// readDense widens len(dst) elements from one element of the storage on.
func (t *Tensor) readDense(b *buffers, dst []float32, element int64) error {
	size := t.DType.Size()
	for len(dst) > 0 {
		n := min(len(dst), blockElements)
		raw := b.raw[:n*size]
		if err := t.src.read(raw, t.begin+element*int64(size)); err != nil {
			return err
		}
		widen(dst[:n], raw, t.DType)
		dst, element = dst[n:], element+int64(n)
	}
	return nil
}
