package cpu

import (
	"runtime"
	"syscall"
	"unsafe"
)

var (
	kernel32                       = syscall.NewLazyDLL("kernel32.dll")
	getLogicalProcessorInformation = kernel32.NewProc("GetLogicalProcessorInformation")
	getProcessAffinityMask         = kernel32.NewProc("GetProcessAffinityMask")
)

// relation is SYSTEM_LOGICAL_PROCESSOR_INFORMATION.
type relation struct {
	processors uintptr // a bit for each
	kind       uint32  // 0 is a core
	_          [2]uint64
}

// physicalCores counts the cores with a processor that the process may use.
func physicalCores() int {
	relations, allowed := relations(), affinity()
	n := 0
	for _, r := range relations {
		if r.kind == 0 && r.processors&allowed != 0 {
			n++
		}
	}
	if n == 0 {
		return runtime.NumCPU()
	}
	return min(n, runtime.NumCPU())
}

// relations is what the system tells, nil if it does not.
func relations() []relation {
	var bytes uint32
	getLogicalProcessorInformation.Call(0, uintptr(unsafe.Pointer(&bytes)))
	list := make([]relation, uintptr(bytes)/unsafe.Sizeof(relation{}))
	if len(list) == 0 {
		return nil
	}
	ok, _, _ := getLogicalProcessorInformation.Call(uintptr(unsafe.Pointer(&list[0])), uintptr(unsafe.Pointer(&bytes)))
	if ok == 0 {
		return nil
	}
	return list
}

// affinity is the processors that the process may run on; all if the system
// does not tell.
func affinity() uintptr {
	var process, system uintptr
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return ^uintptr(0)
	}
	ok, _, _ := getProcessAffinityMask.Call(uintptr(self), uintptr(unsafe.Pointer(&process)), uintptr(unsafe.Pointer(&system)))
	if ok == 0 || process == 0 {
		return ^uintptr(0)
	}
	return process
}
