package cpu

import (
	"runtime"
	"syscall"
)

// physicalCores is the machine's, or the logical processors of the process's
// set where those are fewer.
func physicalCores() int {
	n, err := syscall.SysctlUint32("kern.smp.cores")
	if err != nil || n == 0 {
		return runtime.NumCPU()
	}
	return min(int(n), runtime.NumCPU())
}
