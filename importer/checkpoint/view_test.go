package checkpoint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// strided is one tensor over a storage of rising values, in a torch archive.
func strided(t testing.TB, count, offset int, shape, strides []int) (*Tensor, error) {
	t.Helper()
	pickle := dictOps(text("w"), tensorOps(storageOps("0", count), offset, shape, strides))
	tensors, err := fromBytes("x.bin", zipOf(t, entry{"a/data.pkl", pickle}, entry{"a/data/0", floats(count)}))
	if err != nil {
		return nil, err
	}
	return tensors[0], nil
}

// elements computes what rows [lo, hi) of a strided tensor hold when every
// element of the storage holds its own index.
func elements(offset int, shape, strides []int, lo, hi int) []float32 {
	at := []int{}
	for i := lo; i < hi; i++ {
		at = append(at, offset+i*strides[0])
	}
	for k := 1; k < len(shape); k++ {
		var next []int
		for _, a := range at {
			for i := range shape[k] {
				next = append(next, a+i*strides[k])
			}
		}
		at = next
	}
	values := make([]float32, len(at))
	for i, a := range at {
		values[i] = float32(a)
	}
	return values
}

func checkStrided(t *testing.T, count, offset int, shape, strides []int) {
	t.Helper()
	x, err := strided(t, count, offset, shape, strides)
	if err != nil {
		t.Errorf("%v %v: %v", shape, strides, err)
		return
	}
	for _, r := range [][2]int{{0, shape[0]}, {shape[0] / 3, (shape[0] + 1) / 2}, {shape[0] - 1, shape[0]}} {
		got := make([]float32, (r[1]-r[0])*x.Shape.Row())
		if err := x.ReadRows(got, r[0], r[1]); err != nil {
			t.Errorf("%v %v: %v", shape, strides, err)
		}
		if want := elements(offset, shape, strides, r[0], r[1]); !slices.Equal(got, want) {
			t.Errorf("%v %v rows %v: values differ", shape, strides, r)
		}
	}
}

func TestStridedViews(t *testing.T) {
	const big = 3 * blockElements // 3 blocks: every way of dividing the work
	for _, v := range []struct {
		count, offset  int
		shape, strides []int
	}{
		{60, 0, []int{5, 12}, []int{12, 1}},
		{60, 7, []int{5, 8}, []int{10, 1}},                 // columns of a wider matrix
		{60, 0, []int{12, 5}, []int{1, 12}},                // transposed
		{60, 3, []int{4, 3, 2}, []int{2, 16, 9}},           // axes in no order
		{60, 59, []int{1, 1}, []int{1000, -0}},             // strides of axes of one element mean nothing
		{60, 1, []int{4}, []int{15}},                       // a column
		{60, 0, []int{6, 5}, []int{0, 1}},                  // a repeated row
		{60, 0, []int{5, 6, 2}, []int{1, 0, 7}},            // repeated in the middle
		{60, 0, []int{7, 8}, []int{3, 2}},                  // overlapping
		{big, 0, []int{1024, 768}, []int{1, 1024}},         // transposed, larger than a block
		{big, 5, []int{3, 700}, []int{262144, 1}},          // rows far apart
		{big, 0, []int{3, 4}, []int{1, 262143}},            // the same, transposed
		{big, 0, []int{700, 9}, []int{1000, 100}},          // sparse
		{big, 1, []int{3, 2, 300}, []int{1, 393215, 1311}}, // sparse, three axes
	} {
		checkStrided(t, v.count, v.offset, v.shape, v.strides)
	}
}

func TestRandomViews(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		offset, last := r.IntN(50), 0
		shape, strides := make([]int, 1+r.IntN(4)), []int{}
		elements := 1
		for i := range shape {
			shape[i] = 1 + r.IntN(6)
			elements *= shape[i]
			strides = append(strides, r.IntN(40))
			last += (shape[i] - 1) * strides[i]
		}
		checkStrided(t, max(offset+last+1, elements), offset, shape, strides)
	}
}

func TestViewsOutOfBounds(t *testing.T) {
	for _, v := range []struct {
		count, offset  int
		shape, strides []int
		want           string
	}{
		{10, 1, []int{10}, []int{1}, "leaves its storage of 10 elements"},
		{10, 0, []int{2, 2}, []int{9, 1}, "leaves its storage"},
		{10, -1, []int{2}, []int{1}, "element -1"},
		{10, 11, []int{0}, []int{1}, "element 11"},
		{10, 0, []int{2}, []int{-1}, "negative"},
		{10, 0, []int{-1}, []int{1}, "negative"},
		{10, 0, []int{1 << 40, 1 << 40}, []int{0, 0}, "overflows"},
		{10, 0, []int{1 << 40}, []int{0}, "holds 1099511627776 elements, but its storage only 10"},
		{10, 0, []int{3, 3}, []int{1 << 62, 1 << 62}, "leaves its storage"},
		{10, 0, []int{2, 5}, []int{1}, "2 5] with 1 strides"},
		{10, 0, []int{1, 1, 1, 1, 1, 1, 1, 1, 1}, []int{1}, "at most 8"},
	} {
		_, err := strided(t, v.count, v.offset, v.shape, v.strides)
		if err == nil || !strings.Contains(err.Error(), v.want) || !strings.Contains(err.Error(), "w: ") && v.want != "at most 8" {
			t.Errorf("%v %v: error %v, want one with %q", v.shape, v.strides, err, v.want)
		}
	}
}

// BenchmarkRead shows the rate of widening, in stored bytes.
func BenchmarkRead(b *testing.B) {
	const rows, row = 4096, 1024
	for _, v := range []struct {
		name           string
		shape, strides []int
	}{
		{"dense", []int{rows, row}, []int{row, 1}},
		{"transposed", []int{rows, row}, []int{1, rows}},
	} {
		b.Run(fmt.Sprint(v.name), func(b *testing.B) {
			x, err := strided(b, rows*row, 0, v.shape, v.strides)
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]float32, 48*row)
			b.SetBytes(int64(len(dst) * 4))
			for i := 0; b.Loop(); i++ {
				lo := i * 48 % (rows - 48)
				if err := x.ReadRows(dst, lo, lo+48); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
