// Package safetensors reads and writes the safetensors format, where named
// tensors follow a JSON header; it sees nothing of ours.
package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"unicode/utf8"
)

// maxHeader is the largest header the format allows.
const maxHeader = 100 << 20

// metadataKey is the one key of the header that is not a tensor.
const metadataKey = "__metadata__"

// Tensor describes one tensor of a file.
type Tensor struct {
	Name  string
	DType string // as in the file: F32, BF16, I64, …
	Shape []int  // slowest axis first; empty for a scalar

	// Begin and End bound the values, in bytes from the start of the file.
	// NewWriter ignores them.
	Begin, End int64
}

// Elements is the product of the axes.
func (t Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// File is an open set of tensors. It keeps nothing but the header in memory.
type File struct {
	Tensors  []Tensor // in the order of their values
	Metadata map[string]string
	r        io.ReaderAt
	byName   map[string]int
}

// Open reads and checks the header of a file of size bytes. Every tensor of
// the result lies inside the file, has the length that its type and shape
// demand, and overlaps no other; together they fill the file. Errors name the
// tensor, not the file.
func Open(r io.ReaderAt, size int64) (*File, error) {
	header, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	f := &File{r: r}
	if err := f.parse(header); err != nil {
		return nil, err
	}
	if err := f.place(8+int64(len(header)), size); err != nil {
		return nil, err
	}
	f.byName = make(map[string]int, len(f.Tensors))
	for i, t := range f.Tensors {
		f.byName[t.Name] = i
	}
	return f, nil
}

// OpenFile is Open for a whole file, which must stay open while the result is
// read.
func OpenFile(f *os.File) (*File, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return Open(f, st.Size())
}

// Tensor finds a tensor by name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Tensor{}, false
	}
	return f.Tensors[i], true
}

// Section reads the bytes of one of the file's tensors.
func (f *File) Section(t Tensor) *io.SectionReader {
	return io.NewSectionReader(f.r, t.Begin, t.End-t.Begin)
}

// readHeader returns the JSON text, no longer than the file.
func readHeader(r io.ReaderAt, size int64) ([]byte, error) {
	if size < 8 {
		return nil, fmt.Errorf("not a safetensors file: %d bytes, want at least 8", size)
	}
	var prefix [8]byte
	if err := readFull(r, prefix[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	switch {
	case n > uint64(size-8):
		return nil, fmt.Errorf("not a safetensors file, or cut off: a header of %d bytes in a file of %d", n, size)
	case n > maxHeader:
		return nil, fmt.Errorf("a header of %d bytes, want at most %d", n, maxHeader)
	}
	header := make([]byte, n)
	if err := readFull(r, header, 8); err != nil {
		return nil, err
	}
	if len(header) == 0 || header[0] != '{' || !utf8.Valid(header) {
		return nil, errors.New("not a safetensors file: the header is not a JSON object")
	}
	return header, nil
}

// readFull fills b; a file that ends early is io.ErrUnexpectedEOF.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("at byte %d: %w", at+int64(n), err)
}

// quote makes any string fit for one line of an error message.
func quote(s string) string {
	const most = 120
	tail := ""
	if len(s) > most {
		s, tail = s[:most], "…"
	}
	if q := strconv.Quote(s); q[1:len(q)-1] != s || s == "" {
		return q + tail
	}
	return s + tail
}
