package payload

import (
	"syscall"
	"unsafe"
)

const (
	prGetAuxv = 0x41555856 // prctl, Linux 6.4
	atExecfn  = 31
	maxPath   = 4096
)

// execPath is the path that was given to exec, from the auxiliary vector; it
// needs no /proc. Empty where the kernel is too old to tell.
func execPath() string {
	var vector [256]uintptr
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prGetAuxv,
		uintptr(unsafe.Pointer(&vector)), unsafe.Sizeof(vector), 0, 0, 0)
	if errno != 0 || n > unsafe.Sizeof(vector) {
		return ""
	}
	for i := 0; i+1 < len(vector) && vector[i] != 0; i += 2 {
		if vector[i] == atExecfn {
			return stringAt(vector[i+1])
		}
	}
	return ""
}

// stringAt copies the zero-terminated string at an address outside Go's heap.
func stringAt(address uintptr) string {
	base := *(*unsafe.Pointer)(unsafe.Pointer(&address))
	var text []byte
	for i := 0; base != nil && i < maxPath; i++ {
		c := *(*byte)(unsafe.Add(base, i))
		if c == 0 {
			break
		}
		text = append(text, c)
	}
	return string(text)
}
