package amd64

import "github.com/mambac/mambac/codegen/target"

// v4 is x86-64-v4: AVX-512, 32 registers of 16 lanes. A tile of 8 tokens × 48
// rows takes 24 accumulators, 3 weights, 1 input.
var v4 = &Level{
	level: target.Level{Name: "v4", GOARCH: "amd64", Rank: 4,
		Features: []string{"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl"}},
	lanes: 16, registers: 32,
	shapes:    []shape{{8, 48}, {4, 48}, {16, 16}},
	dotShapes: []shape{{8, 48}, {4, 48}, {16, 16}},
}

func init() { target.Register(v4) }
