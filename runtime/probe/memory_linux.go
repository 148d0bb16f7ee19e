package probe

import (
	"fmt"
	"syscall"
)

const (
	madvHugepage = 14
	hugePage     = 2 << 20
)

// hugePages maps n bytes of anonymous memory and asks for huge pages, which
// the system may refuse; release gives it back.
func hugePages(n int) (memory []byte, release func(), err error) {
	all, err := syscall.Mmap(-1, 0, n+hugePage, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil, nil, fmt.Errorf("%d bytes for the read limit: %w", n, err)
	}
	_ = syscall.Madvise(all, madvHugepage) // without them the figure is what it is
	return aligned(all, hugePage)[:n], func() { _ = syscall.Munmap(all) }, nil
}
