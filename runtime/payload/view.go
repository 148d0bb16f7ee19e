package payload

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"unsafe"
)

// Float32s views bytes of a section as float32 without a copy. A length or
// address that is no multiple of four is a bug of the packer.
func Float32s(b []byte) []float32 { return view[float32](b) }

// Uint16s views bytes of a section as uint16 without a copy.
func Uint16s(b []byte) []uint16 { return view[uint16](b) }

func view[T float32 | uint16](b []byte) []T {
	if len(b) == 0 {
		return nil
	}
	size := unsafe.Sizeof(*new(T))
	if uintptr(len(b))%size != 0 || uintptr(unsafe.Pointer(&b[0]))%size != 0 {
		panic(fmt.Sprintf("BUG: a view of %d bytes at %p is not made of whole aligned elements of %d bytes", len(b), &b[0], size))
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), uintptr(len(b))/size)
}

// mappable is the size of a file that this process can map and read as it is.
func mappable(f *os.File) (int, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !st.Mode().IsRegular() {
		return 0, fmt.Errorf("%s: is not a regular file", f.Name())
	}
	if st.Size() < footerBytes {
		return 0, fmt.Errorf("%s: %w", f.Name(), ErrMissing)
	}
	if st.Size() > math.MaxInt-Align {
		return 0, fmt.Errorf("%s: has %d bytes, more than this platform can address", f.Name(), st.Size())
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return 0, errors.New("payloads are little-endian, this platform is not")
	}
	return int(st.Size()), nil
}
