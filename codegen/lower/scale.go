package lower

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

func init() {
	register(op.Scale{}.OpName(), rule{lower: lowerScale, inPlace: []int{0}})
}

func lowerScale(l *lowering, v *ir.Value) error {
	l.mapValue(kernel.Map{Function: kernel.MapScale, ByBits: math.Float32bits(v.Op.(op.Scale).By)}, v)
	return nil
}
