package cpu

import "golang.org/x/sys/cpu"

func init() { register("avx512vnni", cpu.X86.HasAVX512VNNI) }
