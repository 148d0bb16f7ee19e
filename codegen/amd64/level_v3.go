package amd64

import "github.com/mambac/mambac/codegen/target"

// v3 is x86-64-v3: AVX2 with fused multiply-add, 16 registers of 8 lanes. A tile
// of 4 tokens × 24 rows takes 12 accumulators, 3 weights, 1 input, one of 2 × 48, for
// what is left or for few tokens, 2 inputs and 1 weight.
var v3 = &Level{
	level: target.Level{Name: "v3", GOARCH: "amd64", Rank: 3, Features: []string{"avx2", "fma", "f16c"}},
	lanes: 8, registers: 16,
	shapes:    []shape{{4, 24}, {6, 16}},
	dotShapes: []shape{{6, 16}, {4, 16}, {3, 24}},
}

func init() { target.Register(v3) }
