package checkpoint

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFlatten: where two axes can be read as one, rows of the second are what
// they were; where they cannot, no step leads from row to row.
func TestFlatten(t *testing.T) {
	checkFlatten(t, []int{3, 4, 5}, []int{20, 5, 1}, true)
	checkFlatten(t, []int{3, 4, 5}, []int{40, 10, 2}, true) // with gaps
	checkFlatten(t, []int{3, 4, 5}, []int{20, 1, 4}, false) // transposed matrices
	checkFlatten(t, []int{3, 4, 5}, []int{25, 5, 1}, false) // a gap after each matrix
	checkFlatten(t, []int{1, 4, 5}, []int{99, 1, 4}, true)  // one matrix, transposed
	checkFlatten(t, []int{3, 1, 5}, []int{7, 99, 1}, true)  // matrices of one row
	checkFlatten(t, []int{3, 4}, []int{4, 1}, true)         // of no columns
	checkFlatten(t, []int{2, 3, 2, 2}, []int{12, 4, 1, 2}, true)
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		shape := []int{1 + r.IntN(3), 1 + r.IntN(3), 1 + r.IntN(3)}
		strides := []int{r.IntN(10), r.IntN(5), r.IntN(5)}
		fits := shape[0] == 1 || shape[1] == 1 || strides[0] == shape[1]*strides[1]
		checkFlatten(t, shape, strides, fits)
	}
	if x, err := strided(t, 9, 0, []int{9}, []int{1}); err != nil {
		t.Fatal(err)
	} else if _, err := x.Flatten(); err == nil {
		t.Error("a vector has two axes")
	}
}

func checkFlatten(t *testing.T, shape, strides []int, fits bool) {
	t.Helper()
	const offset = 2
	x, err := strided(t, 500, offset, shape, strides)
	if err != nil {
		t.Fatal(err)
	}
	flat, err := x.Flatten()
	if (err == nil) != fits {
		t.Fatalf("%v with strides %v: error %v, want one: %t", shape, strides, err, !fits)
	}
	if err != nil {
		return
	}
	rows := shape[0] * shape[1]
	whole := elements(offset, shape, strides, 0, shape[0])
	row := len(whole) / rows
	for lo := range rows {
		got := make([]float32, row)
		if err := flat.ReadRows(got, lo, lo+1); err != nil {
			t.Fatal(err)
		}
		if want := whole[lo*row : (lo+1)*row]; !slices.Equal(got, want) {
			t.Fatalf("%v with strides %v: row %d is %v, want %v", shape, strides, lo, got, want)
		}
	}
}
