package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() {
	register(op.GLU{}.OpName(), rule{lower: lowerGLU, aligned: []int{0, 1}, inPlace: []int{0, 1}})
}

func lowerGLU(l *lowering, v *ir.Value) error {
	l.mapValue(kernel.Map{Function: kernel.Function(v.Op.(op.GLU).Function).Gated()}, v)
	return nil
}
