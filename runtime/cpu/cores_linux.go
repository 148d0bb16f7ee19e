package cpu

import (
	"math/bits"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

func physicalCores() int {
	read := files(readFile)
	n := read.distinctCores(affinity())
	if limit := read.quota(); limit != 0 {
		n = min(n, limit)
	}
	return n
}

func readFile(path string) (string, bool) {
	text, err := os.ReadFile(path)
	return string(text), err == nil
}

// affinity lists the logical processors that the process may run on.
func affinity() []int {
	var mask [128]uint
	n, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	var list []int
	if errno != 0 {
		for id := range runtime.NumCPU() {
			list = append(list, id)
		}
		return list
	}
	for i, word := range mask[:n/unsafe.Sizeof(mask[0])] {
		for ; word != 0; word &= word - 1 {
			list = append(list, i*bits.UintSize+bits.TrailingZeros(word))
		}
	}
	return list
}
