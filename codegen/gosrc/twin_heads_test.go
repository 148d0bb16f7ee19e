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
	for i, headDim := range []int{1, 5, 16, 33} {
		s := kernel.Mamba3{HeadDim: headDim, States: 2 + 8*i, Rank: 1 + i, StrideY: 5*headDim*(1+i) + i}
		row := s.Ready().Floats()
		s.StrideReady = 5*row + i
		specs = append(specs, s, kernel.Mamba3Prepare{HeadDim: headDim, States: s.States, Rank: s.Rank, Angles: 1 + 3*i, Groups: 6 / (1 + i%3), PerGroup: 1 + i%3,
			StrideReady: s.StrideReady, StrideX: 5*headDim + 1, StrideB: 6*s.Rank*s.States + 2, StrideC: 6*s.Rank*s.States + 3,
			StrideD: 5, StrideA: 6, StrideT: 7, StrideAngle: 2 + 3*i, FloorBits: math.Float32bits(0.25), Halved: i%2 == 1, Softplus: i/2 == 1, Mimo: i > 0})
		if i > 0 {
			specs = append(specs, kernel.Mamba3Gate{Width: 3 * headDim, HeadDim: headDim, Rank: s.Rank, StrideX: 3*headDim*s.Rank + i,
				StrideZ: 3*headDim + i%2, StrideY: 3 * headDim, EpsBits: math.Float32bits(1e-5), Norm: i%2 == 0})
		}
	}
	return specs
}

// twinCacheSpecs is attention over pages of every storage, with windows and
// without.
func twinCacheSpecs() []kernel.Spec {
	var specs []kernel.Spec
	for i, headDim := range []int{1, 6, 33} {
		group := 1 + i
		for _, s := range []kernel.Storage{"", kernel.F16, kernel.Int8} {
			specs = append(specs,
				kernel.Keep{HeadDim: headDim, StrideX: 2*headDim + i, Columns: true, Storage: s},
				kernel.Keep{HeadDim: headDim, StrideX: 2*headDim + i, Storage: s},
				kernel.Attend{HeadDim: headDim, Group: group, StrideQ: group*headDim + i, StrideY: group * headDim,
					Window: []int{0, 3, 100}[i], ScaleBits: math.Float32bits(0.5), Storage: s})
		}
	}
	return specs
}
