package amd64

import "github.com/mambac/mambac/codegen/target"

// v4b is v4n with AVX512-BF16: a multiply-add of pairs of bf16.
var v4b = v4n.with("v4b", bf16)

func init() { target.Register(v4b) }
