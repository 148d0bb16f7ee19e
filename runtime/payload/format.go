// Package payload is the format of what mambac appends to a program, in both
// directions: sections, table and footer; it sees nothing of ours.
package payload

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// The layout of a file that carries a payload:
//
//	executable (or nothing) │ zeros up to a page │ sections, each on a page
//	border │ table: one entry per section │ footer
//
// The footer is the last thing of the file, so a file that was cut off or
// appended to has none where it must be.
const (
	// Align is the alignment of the payload and of every section in bytes.
	Align = 4096

	version     = 1
	magic       = "mambac\x00P"
	nameBytes   = 32
	entryBytes  = nameBytes + 16
	footerBytes = 128
	maxSections = 64
)

// Ext ends the name of a payload that is a file of its own.
const Ext = ".payload"

// The sections that mambac writes.
const (
	MetadataSection  = "metadata"
	TokenizerSection = "tokenizer"
	WeightsSection   = "weights"
)

// ErrMissing is returned for a file that ends in no footer.
var ErrMissing = errors.New("no payload at the end of the file: it was cut off, or something was appended to it; build it again")

// footer is what the last bytes of the file say.
type footer struct {
	sections int
	offset   int64 // of the payload in the file
	length   int64 // of the sections with their padding; the table follows
	head     [32]byte
	body     [32]byte // hash of all length bytes
}

// section is one entry of the table; the offset counts from the payload.
type section struct {
	name           string
	offset, length int64
}

func (f *footer) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint32(dst, version)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(f.sections))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.offset))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.length))
	dst = append(dst, f.head[:]...)
	dst = append(dst, f.body[:]...)
	sum := sha256.Sum256(dst[start:])
	return append(dst, sum[:footerBytes-(len(dst)-start)]...)
}

// parseFooter reads the last bytes of a file of the given size.
func parseFooter(b []byte, size int64) (footer, error) {
	var f footer
	if len(b) != footerBytes || !bytes.HasPrefix(b, []byte(magic)) {
		return f, ErrMissing
	}
	fields := b[len(magic):]
	if v := binary.LittleEndian.Uint32(fields); v != version {
		return f, fmt.Errorf("payload has format %d, this program reads %d; build it again with one mambac", v, version)
	}
	f.sections = int(binary.LittleEndian.Uint32(fields[4:]))
	f.offset = int64(binary.LittleEndian.Uint64(fields[8:]))
	f.length = int64(binary.LittleEndian.Uint64(fields[16:]))
	copy(f.head[:], fields[24:])
	copy(f.body[:], fields[56:])
	if !bytes.Equal(f.append(nil), b) {
		return f, errors.New("payload footer is damaged; build it again")
	}
	return f, f.checkSize(size)
}

func (f *footer) checkSize(size int64) error {
	if f.sections < 1 || f.sections > maxSections {
		return fmt.Errorf("payload has %d sections, want 1 to %d", f.sections, maxSections)
	}
	table := int64(f.sections) * entryBytes
	if f.offset < 0 || f.length < 0 || f.offset%Align != 0 || f.offset > size || f.length > size {
		return fmt.Errorf("payload of %d bytes at %d does not fit the file of %d bytes; it was cut off or altered, build it again", f.length, f.offset, size)
	}
	if want := f.offset + f.length + table + footerBytes; want != size {
		return fmt.Errorf("file has %d bytes, its payload says %d; it was cut off or altered, build it again", size, want)
	}
	return nil
}

// headHash covers what is checked at every start: the metadata, the table and
// the sizes.
func (f *footer) headHash(metadata, table []byte) [32]byte {
	h := sha256.New()
	h.Write(metadata)
	h.Write(table)
	var sizes [16]byte
	binary.LittleEndian.PutUint64(sizes[:], uint64(f.offset))
	binary.LittleEndian.PutUint64(sizes[8:], uint64(f.length))
	h.Write(sizes[:])
	return [32]byte(h.Sum(nil))
}

func appendTable(dst []byte, sections []section) []byte {
	for _, s := range sections {
		var name [nameBytes]byte
		copy(name[:], s.name)
		dst = append(dst, name[:]...)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(s.offset))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(s.length))
	}
	return dst
}

// parseTable reads the entries and proves that they lie inside the payload,
// in order and apart from each other.
func parseTable(b []byte, length int64) ([]section, error) {
	var list []section
	end := int64(0)
	for ; len(b) >= entryBytes; b = b[entryBytes:] {
		s := section{
			name:   string(bytes.TrimRight(b[:nameBytes], "\x00")),
			offset: int64(binary.LittleEndian.Uint64(b[nameBytes:])),
			length: int64(binary.LittleEndian.Uint64(b[nameBytes+8:])),
		}
		if s.offset < end || s.offset%Align != 0 || s.length < 0 || s.offset > length || s.length > length-s.offset {
			return nil, fmt.Errorf("payload section %q of %d bytes at %d does not fit the payload of %d bytes", s.name, s.length, s.offset, length)
		}
		end = s.offset + s.length
		list = append(list, s)
	}
	return list, nil
}
