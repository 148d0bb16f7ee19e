package checkpoint

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/ir/tensor"
)

// TestCutOffLater has a file that shrinks after it was opened.
func TestCutOffLater(t *testing.T) {
	dir := t.TempDir()
	makeIn(t, dir, "safetensors", 0, made())
	c := openGood(t, dir)
	path := filepath.Join(dir, "model.safetensors")
	if err := os.Truncate(path, 2000); err != nil {
		t.Fatal(err)
	}
	x, _ := c.Tensor("wide")
	err := x.ReadRows(make([]float32, x.Shape.Row()), 1, 2)
	if err == nil || !strings.HasPrefix(err.Error(), path+": wide: at byte ") {
		t.Errorf("error %v", err)
	}
}

// TestReadMemory reads rows far larger than a block.
func TestReadMemory(t *testing.T) {
	dir := t.TempDir()
	const row = 20 * blockElements
	large := container.Tensor{Name: "w", DType: tensor.F64, Shape: tensor.Shape{1, row}, Source: counted(row)}
	makeIn(t, dir, "torch-legacy", 0, []container.Tensor{large})
	c := openGood(t, dir)
	x, _ := c.Tensor("w")
	dst := make([]float32, row)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := x.ReadRows(dst, 0, 1); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("reading allocated %d bytes", n)
	}
}

// TestConcurrentReads reads one tensor from many goroutines.
func TestConcurrentReads(t *testing.T) {
	x, err := strided(t, 4096, 0, []int{64, 64}, []int{1, 64})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			dst := make([]float32, 64)
			for i := range 64 {
				if err := x.ReadRows(dst, i, i+1); err != nil || dst[1] != float32(64+i) {
					t.Errorf("row %d: %v %v", i, dst[1], err)
				}
			}
		})
	}
	group.Wait()
}

// TestWiden converts extreme elements of every type.
func TestWiden(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, w := range []struct {
		dtype tensor.DType
		raw   []byte
		want  float32
	}{
		{tensor.F32, []byte{0, 0, 0x80, 0xff}, -inf},
		{tensor.F32, []byte{1, 0, 0, 0}, math.SmallestNonzeroFloat32},
		{tensor.F16, []byte{0xff, 0x7b}, 65504},
		{tensor.F16, []byte{1, 0x80}, -1.0 / (1 << 24)},
		{tensor.BF16, []byte{0x80, 0x7f}, inf},
		{tensor.F64, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, 1},
		{tensor.F64, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x7e}, inf},
		{tensor.I64, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -2},
		{tensor.I32, []byte{0, 0, 0, 0x80}, -1 << 31},
		{tensor.I16, []byte{0xff, 0xff}, -1},
		{tensor.I8, []byte{0x80}, -128},
		{tensor.U8, []byte{0xff}, 255},
		{tensor.Bool, []byte{1}, 1},
	} {
		dst := make([]float32, 1)
		widen(dst, w.raw, w.dtype)
		if dst[0] != w.want {
			t.Errorf("%v %x: %v, want %v", w.dtype, w.raw, dst[0], w.want)
		}
	}
}
