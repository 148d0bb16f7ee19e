package cpu

import "golang.org/x/sys/cpu"

func init() {
	register("avx512f", cpu.X86.HasAVX512F)
	register("avx512bw", cpu.X86.HasAVX512BW)
	register("avx512dq", cpu.X86.HasAVX512DQ)
	register("avx512vl", cpu.X86.HasAVX512VL)
}
