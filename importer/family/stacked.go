package family

import (
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// stacked is a parameter of matrices of one row length, one below the other,
// under a name of its own. Its type is that of all of them, or else float32,
// which holds every one.
func stacked(name string, parts []*ir.Param) *ir.Param {
	row := parts[0].Shape.Row()
	p := &ir.Param{Name: name, Shape: tensor.Shape{0, row}, DType: parts[0].DType}
	list := make([]tensor.Part, len(parts))
	for i, part := range parts {
		list[i] = tensor.Part{Source: part.Source, Rows: part.Shape[0]}
		p.Shape[0] += part.Shape[0]
		if part.DType != p.DType {
			p.DType = tensor.F32
		}
	}
	p.Source = tensor.Stack(row, list...)
	return p
}

// matrix is a tensor of three axes as the matrix of all its rows.
func (s *Set) matrix(name string, outer, rows, columns axis) *ir.Param {
	whole := s.shaped(name, outer, rows, columns)
	if s.check() != nil {
		return nil
	}
	flat, ok := whole.Source.(tensor.Flattener)
	if !ok {
		s.fail("%s: its rows cannot be read one by one", name)
		return nil
	}
	source, err := flat.Flatten()
	if err != nil {
		s.fail("%s: %w", name, err)
	}
	return &ir.Param{Name: name, Shape: tensor.Shape{outer.n * rows.n, columns.n}, DType: whole.DType, Source: source}
}
