package probe

import "unsafe"

// aligned cuts b so that it starts at a multiple of align, a power of two.
func aligned(b []byte, align int) []byte {
	return b[-uintptr(unsafe.Pointer(&b[0]))&uintptr(align-1):]
}
