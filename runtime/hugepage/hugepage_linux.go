//go:build amd64 || arm64 || riscv64

package hugepage

import (
	"encoding/binary"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"github.com/mambac/mambac/runtime/cpu"
)

const (
	madvHugepage  = 14
	mremapMaymove = 1
	mremapFixed   = 2
)

// Bytes is how much of b lies in huge pages, where the system tells.
func Bytes(b []byte) (n int64, ok bool) {
	u, ok := usageOf(b)
	return u.huge, ok
}

// worthwhile reports whether b is mapped from a file in small pages, the
// system gives huge ones, and there is memory for a copy of b although the
// file stays in the page cache.
func worthwhile(b []byte) bool {
	if len(whole(b)) == 0 || os.Getpagesize() != page || !enabled() {
		return false
	}
	u, ok := usageOf(b)
	return ok && u.file && u.huge < u.resident/4*3 && cpu.FreeMemory() >= 2*int64(len(b))
}

func enabled() bool {
	text, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	return err == nil && !strings.Contains(string(text), "[never]")
}

func usageOf(b []byte) (usage, bool) {
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil || len(b) == 0 {
		return usage{}, false
	}
	first := address(b)
	return parseUsage(string(text), first, first+uintptr(len(b))), true
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }

// hot reports whether most of b's pages have been read: the rows of an
// embedding that no text has used are better left on the disk.
func hot(b []byte) bool {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return false
	}
	defer f.Close()
	entries := make([]byte, len(b)/page*8)
	if _, err := f.ReadAt(entries, int64(address(b)/page*8)); err != nil {
		return false
	}
	present := 0
	for ; len(entries) > 0; entries = entries[8:] {
		present += int(binary.NativeEndian.Uint64(entries) >> 63)
	}
	return present > len(b)/page/2
}

// move copies b to huge pages and puts these in its place, which the system
// does at one stroke for all threads: who reads meanwhile finds the same bytes
// before and after. Whatever it refuses, b stays as it was.
func move(b []byte) bool {
	room, err := reserve(len(b))
	if err != nil {
		return false
	}
	copy(room, b)
	err = protect(room)
	if err == nil {
		err = remap(room, b)
	}
	if err != nil {
		unmap(room)
	}
	return err == nil
}

// reserve maps n bytes of anonymous memory that begin with a huge page.
func reserve(n int) ([]byte, error) {
	at, _, errno := syscall.Syscall6(syscall.SYS_MMAP, 0, uintptr(n+huge),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON, ^uintptr(0), 0)
	if errno != 0 {
		return nil, errno
	}
	all := unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n+huge)
	skip := int(-at & (huge - 1))
	room := all[skip : skip+n]
	unmap(all[:skip])
	unmap(all[skip+n:])
	if err := advise(room); err != nil {
		unmap(room)
		return nil, err
	}
	return room, nil
}

// advise asks for huge pages where b has no pages yet.
func advise(b []byte) error {
	_, _, errno := syscall.Syscall(syscall.SYS_MADVISE, address(b), uintptr(len(b)), madvHugepage)
	if errno != 0 {
		return errno
	}
	return nil
}

func protect(b []byte) error { return syscall.Mprotect(b, syscall.PROT_READ) }

// remap moves the pages of room to where b is; what was there is unmapped.
func remap(room, b []byte) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_MREMAP, address(room), uintptr(len(room)), uintptr(len(b)),
		mremapMaymove|mremapFixed, address(b), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// unmap gives back what reserve has mapped, which cannot fail.
func unmap(b []byte) {
	if len(b) > 0 {
		_, _, _ = syscall.Syscall(syscall.SYS_MUNMAP, address(b), uintptr(len(b)), 0)
	}
}
