package checkpoint

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/ir/tensor"
)

// maxAxes bounds the rank of a tensor.
const maxAxes = 8

// view is the part of a storage that makes a tensor, in elements.
type view struct {
	offset  int64
	shape   tensor.Shape
	strides []int
}

// contiguous are the strides of a tensor without gaps.
func contiguous(s tensor.Shape) []int {
	strides := make([]int, len(s))
	step := 1
	for i := len(s) - 1; i >= 0; i-- {
		strides[i] = step
		step *= s[i]
	}
	return strides
}

// isContiguous reports whether the elements follow each other in order.
func (v view) isContiguous() bool {
	for i, step := range contiguous(v.shape) {
		if v.shape[i] > 1 && v.strides[i] != step {
			return false
		}
	}
	return true
}

// check holds the view against a storage of count elements. A view with more
// elements than that repeats some: nothing that is trained does, and it would
// let a small file ask for any amount of memory.
func (v view) check(count int64) error {
	if len(v.shape) > maxAxes || len(v.strides) != len(v.shape) {
		return fmt.Errorf("shape %v with %d strides, want as many, at most %d", v.shape, len(v.strides), maxAxes)
	}
	n, err := v.shape.CheckedElements(math.MaxInt)
	if err != nil {
		return err
	}
	if v.offset < 0 || v.offset > count {
		return fmt.Errorf("begins at element %d of a storage of %d", v.offset, count)
	}
	if int64(n) > count {
		return fmt.Errorf("shape %v holds %d elements, but its storage only %d", v.shape, n, count)
	}
	if n == 0 {
		return nil
	}
	last := v.offset
	for i, d := range v.shape {
		step := int64(v.strides[i])
		if step < 0 {
			return fmt.Errorf("strides %v: negative ones are not supported", v.strides)
		}
		if d > 1 && step > (count-1-last)/int64(d-1) {
			last = count
			break
		}
		last += step * int64(d-1)
	}
	if last >= count {
		return fmt.Errorf("shape %v with strides %v from element %d leaves its storage of %d elements", v.shape, v.strides, v.offset, count)
	}
	return nil
}
