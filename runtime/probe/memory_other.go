//go:build !linux

package probe

const hugePage = 2 << 20

// hugePages takes memory as the runtime gives it; only Linux is asked for huge
// pages.
func hugePages(n int) (memory []byte, release func(), err error) {
	return aligned(make([]byte, n+hugePage), hugePage)[:n], func() {}, nil
}
