package amd64

import "github.com/mambac/mambac/codegen/target"

// v4 is x86-64-v4: AVX-512, 32 registers of 16 lanes. The tile of 8 tokens ×
// 48 rows takes 24 accumulators, 3 weights and up to 5 inputs.
var v4 = &Level{
	level: target.Level{Name: "v4", GOARCH: "amd64", Rank: 4,
		Features: []string{"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl"}},
	lanes: 16, registers: 32, tileTokens: 8, tileRows: 48,
	dotTokens: []int{8, 4, 2, 1}, dotRows: 48,
}

func init() { target.Register(v4) }
