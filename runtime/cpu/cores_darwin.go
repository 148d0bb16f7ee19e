package cpu

import (
	"runtime"
	"syscall"
)

// physicalCores counts the fast cores where there are two kinds: work is
// divided evenly, and at each barrier all would wait for the slow ones.
func physicalCores() int {
	for _, name := range []string{"hw.perflevel0.physicalcpu", "hw.physicalcpu"} {
		if n, err := syscall.SysctlUint32(name); err == nil && n > 0 {
			return int(n)
		}
	}
	return runtime.NumCPU()
}
