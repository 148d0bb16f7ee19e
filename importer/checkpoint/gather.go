package checkpoint

import (
	"cmp"
	"slices"
)

// gather reads tensors with gaps or in another order than stored. It walks the
// storage in its own order, so that a transposed matrix is read in runs, and
// scatters into dst.
type gather struct {
	t   *Tensor
	b   *buffers
	dst []float32
}

// axis is one axis of the rows wanted: its step in the storage and in dst.
type axis struct {
	n      int
	stride int64
	step   int
}

// sparse is how many stored elements may be read for one that is wanted
// before reading them one by one is the lesser evil.
const sparse = 32

// rows reads rows [lo, hi).
func (g *gather) rows(lo, hi int) error {
	var axes []axis
	base := g.t.offset
	for i, step := range contiguous(g.t.Shape) {
		n := g.t.Shape[i]
		if i == 0 {
			base += int64(lo) * int64(g.t.strides[0])
			n = hi - lo
		}
		if n > 1 {
			axes = append(axes, axis{n, int64(g.t.strides[i]), step})
		}
	}
	slices.SortStableFunc(axes, func(a, b axis) int { return cmp.Compare(b.stride, a.stride) })
	return g.read(axes, base, 0)
}

// extent is the stretch of storage that axes cover, and how many elements of
// it they touch.
func extent(axes []axis) (span, touched int64) {
	span, touched = 1, 1
	for _, a := range axes {
		span += int64(a.n-1) * a.stride
		if a.stride > 0 {
			touched *= int64(a.n)
		}
	}
	return span, touched
}

// read fills the elements of dst at at that axes reach, from element base of
// the storage on. The axes have descending strides.
func (g *gather) read(axes []axis, base int64, at int) error {
	span, touched := extent(axes)
	if span <= blockElements && span <= sparse*touched {
		values := g.b.values[:span]
		if err := g.t.readDense(g.b, values, base); err != nil {
			return err
		}
		scatter(g.dst[at:], values, axes)
		return nil
	}
	first, rest := axes[0], axes[1:]
	inner, _ := extent(rest)
	if k := (blockElements-inner)/first.stride + 1; inner <= blockElements && k > 1 && k < int64(first.n) {
		return g.runs(first, rest, int(k), base, at)
	}
	for i := range first.n {
		if err := g.read(rest, base+int64(i)*first.stride, at+i*first.step); err != nil {
			return err
		}
	}
	return nil
}

// runs divides the slowest axis into runs of k, each of which fits a block.
func (g *gather) runs(first axis, rest []axis, k int, base int64, at int) error {
	axes := append([]axis{first}, rest...)
	for i := 0; i < first.n; i += k {
		axes[0].n = min(k, first.n-i)
		if err := g.read(axes, base+int64(i)*first.stride, at+i*first.step); err != nil {
			return err
		}
	}
	return nil
}

// scatter copies values to where the axes say.
func scatter(dst, values []float32, axes []axis) {
	if len(axes) == 0 {
		dst[0] = values[0]
		return
	}
	first, rest := axes[0], axes[1:]
	for i := range first.n {
		if len(rest) > 0 {
			scatter(dst[i*first.step:], values[int64(i)*first.stride:], rest)
			continue
		}
		dst[i*first.step] = values[int64(i)*first.stride]
	}
}
