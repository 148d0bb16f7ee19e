package gosrc

import (
	"math"

	"github.com/mambac/mambac/codegen/kernel"
)

// twinHeadSpecs is scans of heads, at sizes that fill no group of channels and
// more than one, in groups of one head and more.
func twinHeadSpecs() []kernel.Spec {
	var specs []kernel.Spec
	for i, headDim := range []int{1, 5, 16, 33} {
		states, width := []int{1, 7, 16}[i%3], 5*headDim
		specs = append(specs, kernel.SSD{HeadDim: headDim, States: states, PerGroup: 1 + i%3, StrideU: width + i%2, StrideBC: 10*states + 3,
			OffsetB: 3, OffsetC: 3 + 5*states, StrideD: 7, StrideY: width,
			LowBits: math.Float32bits(float32(i) / 4), HighBits: math.Float32bits(float32(i / 2)), Elements: i%2 == 1})
	}
	return specs
}
