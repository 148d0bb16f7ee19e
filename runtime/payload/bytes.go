package payload

import (
	"fmt"
	"unsafe"
)

// sectionAlign is what kernels may count on: the weights of a mapped payload
// begin on a page, those in memory on a cache line.
const sectionAlign = 64

// FromBytes opens a payload that is in memory already, as one that go:embed
// put into a program; name stands for it in errors. The bytes are used in
// place if they begin at a multiple of 64, else they are copied.
func FromBytes(name string, data []byte) (*Payload, error) {
	p, err := parse(alignedBytes(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.path, p.program = name, name
	return p, nil
}

func alignedBytes(data []byte) []byte {
	if len(data) == 0 || uintptr(unsafe.Pointer(&data[0]))%sectionAlign == 0 {
		return data
	}
	room := make([]byte, len(data)+sectionAlign)
	room = room[-uintptr(unsafe.Pointer(&room[0]))%sectionAlign:]
	return room[:copy(room, data)]
}
