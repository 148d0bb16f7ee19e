package tensor

import (
	"slices"
	"testing"
)

// TestStack reads every range of rows of parts of different heights.
func TestStack(t *testing.T) {
	const row = 3
	rising := make([]float32, 8*row)
	for i := range rising {
		rising[i] = float32(i)
	}
	s := Stack(row, Part{Values(rising[:2*row], row), 2}, Part{Values(nil, row), 0},
		Part{&Dense{Shape: Shape{5, row}, Values: rising[2*row : 7*row]}, 5}, Part{Values(rising[7*row:], row), 1})
	for lo := range 9 {
		for hi := lo; hi <= 8; hi++ {
			got := make([]float32, (hi-lo)*row)
			if err := s.ReadRows(got, lo, hi); err != nil || !slices.Equal(got, rising[lo*row:hi*row]) {
				t.Errorf("rows %d to %d are %v, %v", lo, hi, got, err)
			}
		}
	}
	for _, c := range [][2]int{{-1, 0}, {8, 9}} {
		if err := s.ReadRows(make([]float32, row), c[0], c[1]); err == nil {
			t.Errorf("rows %v can be read", c)
		}
	}
}

func TestFlatten(t *testing.T) {
	d := &Dense{Shape: Shape{2, 3, 2}, Values: []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	flat, err := d.Flatten()
	got := make([]float32, 4)
	if err != nil || flat.ReadRows(got, 2, 4) != nil || !slices.Equal(got, []float32{4, 5, 6, 7}) {
		t.Errorf("rows 2 and 3 are %v, %v", got, err)
	}
	if _, err := (&Dense{Shape: Shape{3}}).Flatten(); err == nil {
		t.Error("a vector has two axes")
	}
}
