package payload

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// mapping is a file's bytes, mapped read-only.
type mapping struct {
	data    []byte
	address uintptr
}

func mapFile(path string) (*mapping, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := mappable(f)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFileMapping(syscall.Handle(f.Fd()), nil, syscall.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping %d bytes: %w", path, size, err)
	}
	defer syscall.CloseHandle(h)
	address, err := syscall.MapViewOfFile(h, syscall.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil, fmt.Errorf("%s: mapping %d bytes: %w", path, size, err)
	}
	// The view is no Go memory: the pointer is made without arithmetic on it.
	base := *(**byte)(unsafe.Pointer(&address))
	return &mapping{unsafe.Slice(base, size), address}, nil
}

func (m *mapping) close() error {
	address := m.address
	m.data, m.address = nil, 0
	if address == 0 {
		return nil
	}
	return syscall.UnmapViewOfFile(address)
}
