//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package payload

import (
	"fmt"
	"io"
	"os"
	"unsafe"
)

// mapping is a file's bytes, read into memory where files cannot be mapped.
type mapping struct{ data []byte }

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
	data := make([]byte, size+Align)
	data = data[-uintptr(unsafe.Pointer(&data[0]))%Align:][:size]
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &mapping{data}, nil
}

func (m *mapping) close() error {
	m.data = nil
	return nil
}
