package arm64

import "github.com/mambac/mambac/codegen/target"

// neon is what every 64-bit Arm processor with an operating system has: 32
// registers of 4 lanes, fused multiply-add, conversion of halves.
var neon = &Level{level: target.Level{Name: "neon", GOARCH: "arm64", Rank: 1, Features: []string{"asimd"}}}

func init() { target.Register(neon) }
