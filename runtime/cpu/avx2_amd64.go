package cpu

import "golang.org/x/sys/cpu"

// FMA and F16C work on registers that the system saves with AVX.
func init() {
	register("avx2", cpu.X86.HasAVX2)
	register("fma", cpu.X86.HasFMA && cpu.X86.HasAVX)
	register("f16c", cpu.X86.HasF16C && cpu.X86.HasAVX)
}
