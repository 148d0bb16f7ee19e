package cpu

import "golang.org/x/sys/cpu"

func init() { register("asimd", cpu.ARM64.HasASIMD) }
