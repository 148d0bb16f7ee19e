package cpu

import "golang.org/x/sys/cpu"

func init() { register("avx512bf16", cpu.X86.HasAVX512BF16) }
