package amd64

import "github.com/mambac/mambac/codegen/target"

// v4n is v4 with AVX512-VNNI: products of codes are sums of four in one
// instruction. The tile of 8 tokens × 48 rows takes 24 accumulators and 3
// weights.
var v4n = v4.with("v4n", vnni)

func init() { target.Register(v4n) }
