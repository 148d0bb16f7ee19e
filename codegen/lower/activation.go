package lower

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() {
	register(op.Activation{}.OpName(), rule{lower: lowerActivation, inPlace: []int{0}})
}

// lowerActivation relies on functions being called alike in ops and in specs.
func lowerActivation(l *lowering, v *ir.Value) error {
	l.mapValue(kernel.Map{Function: kernel.Function(v.Op.(op.Activation).Function)}, v)
	return nil
}
