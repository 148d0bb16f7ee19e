package convert

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// rearranged is so many rows of a parameter, each of which is the one that from
// gives.
func rearranged(p *ir.Param, rows int, from func(row int) int) *ir.Param {
	q := *p
	q.Shape = append(tensor.Shape{rows}, p.Shape[1:]...)
	q.Source = &rearrangement{p.Source, p.Shape.Row(), from}
	return &q
}

type rearrangement struct {
	source tensor.Source
	row    int // elements of one
	from   func(row int) int
}

// ReadRows implements tensor.Source. Rows that stay behind each other are read
// together.
func (r *rearrangement) ReadRows(dst []float32, lo, hi int) error {
	for lo < hi {
		at, n := r.from(lo), 1
		for lo+n < hi && r.from(lo+n) == at+n {
			n++
		}
		if err := r.source.ReadRows(dst[:n*r.row], at, at+n); err != nil {
			return err
		}
		dst, lo = dst[n*r.row:], lo+n
	}
	return nil
}
