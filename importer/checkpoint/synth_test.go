package checkpoint

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/ir/tensor"
)

// made is a checkpoint of awkward tensors: every element type, a scalar, an
// empty one, odd sizes, a row larger than a block, a tied pair.
func made() []container.Tensor {
	list := []container.Tensor{
		{Name: "embedding", DType: tensor.BF16, Shape: tensor.Shape{37, 19}},
		{Name: "half", DType: tensor.F16, Shape: tensor.Shape{5, 1, 4}},
		{Name: "double", DType: tensor.F64, Shape: tensor.Shape{7}},
		{Name: "scalar", DType: tensor.F32, Shape: tensor.Shape{}},
		{Name: "empty", DType: tensor.F32, Shape: tensor.Shape{0, 3}},
		{Name: "wide", DType: tensor.BF16, Shape: tensor.Shape{2, blockElements + 77}},
		{Name: "head", DType: tensor.BF16, Shape: tensor.Shape{37, 19}, Tied: "embedding"},
	}
	for i := range list {
		list[i].Source = counted(list[i].Shape.Row())
	}
	return list
}

// counted has values that tell where they are; it is the length of a row.
type counted int

// ReadRows implements tensor.Source.
func (row counted) ReadRows(dst []float32, lo, _ int) error {
	for j := range dst {
		dst[j] = float32((lo*int(row)+j)%127) - 63.5
	}
	return nil
}

// makeIn writes tensors and a config into a folder.
func makeIn(t *testing.T, dir, name string, shardBytes int64, tensors []container.Tensor) {
	t.Helper()
	write(t, filepath.Join(dir, "config.json"), []byte("{}"))
	create := func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, name)) }
	if err := container.Write(name, tensors, shardBytes, create); err != nil {
		t.Fatal(err)
	}
}

// TestEveryContainer writes the same tensors in all containers and reads them
// back.
func TestEveryContainer(t *testing.T) {
	for _, name := range container.Names() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			makeIn(t, dir, name, 2000, made())
			c := openGood(t, dir)
			for _, want := range made() {
				checkMade(t, c, want)
			}
			embedding, _ := c.Tensor("embedding")
			if head, ok := c.Tensor("head"); ok {
				one := name != "torch-zip-sharded"
				if head.SameData(embedding) != one {
					t.Errorf("head and embedding share their values: %v, want %v", !one, one)
				}
			}
			half, _ := c.Tensor("half")
			if embedding.SameData(half) {
				t.Error("different tensors said to share their values")
			}
		})
	}
}

// checkMade compares a tensor with what was written, read at once and in
// uneven runs of rows.
func checkMade(t *testing.T, c *Checkpoint, want container.Tensor) {
	t.Helper()
	x, ok := c.Tensor(want.Name)
	if !ok {
		if want.Tied == "" {
			t.Errorf("%s is missing", want.Name)
		}
		return
	}
	if x.DType != want.DType || !x.Shape.Equal(want.Shape) {
		t.Errorf("%s: %v %v, want %v %v", want.Name, x.DType, x.Shape, want.DType, want.Shape)
	}
	values := make([]float32, want.Shape.Elements())
	if err := want.Source.ReadRows(values, 0, want.Shape.Rows()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(readAll(t, x), values) {
		t.Errorf("%s: values differ", want.Name)
	}
	row := x.Shape.Row()
	for lo := 0; lo < x.Shape.Rows(); lo += 3 {
		hi := min(lo+3, x.Shape.Rows())
		part := make([]float32, (hi-lo)*row)
		if err := x.ReadRows(part, lo, hi); err != nil || !slices.Equal(part, values[lo*row:hi*row]) {
			t.Errorf("%s: rows [%d, %d) differ (%v)", want.Name, lo, hi, err)
		}
	}
}
