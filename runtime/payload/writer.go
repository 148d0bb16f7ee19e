package payload

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Writer streams a payload: Section, Write…, Section, Write…, Close. It holds
// nothing of a section but the metadata, which is small.
type Writer struct {
	w        io.Writer
	base     int64 // where the payload starts in the file
	at       int64 // bytes of the payload written
	sections []section
	metadata []byte
	body     hash.Hash
	digest   [32]byte
	err      error
}

var zeros [Align]byte

// NewWriter starts a payload behind base bytes that the file already holds
// (0 for a file of its own); it pads to a page.
func NewWriter(w io.Writer, base int64) *Writer {
	p := &Writer{w: w, base: (base + Align - 1) / Align * Align, body: sha256.New()}
	_, p.err = w.Write(zeros[:p.base-base])
	return p
}

// Section begins the next section on a page border. Names are unique and
// have 1 to 32 bytes.
func (p *Writer) Section(name string) error {
	if name == "" || len(name) > nameBytes || len(p.sections) == maxSections {
		return fmt.Errorf("payload section %q: names have 1 to %d bytes, payloads at most %d sections", name, nameBytes, maxSections)
	}
	for _, s := range p.sections {
		if s.name == name {
			return fmt.Errorf("payload section %q is written twice", name)
		}
	}
	p.put(zeros[:-p.at&(Align-1)])
	p.sections = append(p.sections, section{name: name, offset: p.at})
	return p.err
}

// Write adds bytes to the current section.
func (p *Writer) Write(b []byte) (int, error) {
	if len(p.sections) == 0 {
		return 0, errors.New("payload bytes before the first section")
	}
	s := &p.sections[len(p.sections)-1]
	if s.name == MetadataSection {
		p.metadata = append(p.metadata, b...)
	}
	n := p.put(b)
	s.length += int64(n)
	return n, p.err
}

// Close writes table and footer; it does not close the underlying writer.
func (p *Writer) Close() error {
	if p.err == nil && len(p.sections) == 0 {
		p.err = errors.New("payload without sections")
	}
	if p.err != nil {
		return p.err
	}
	f := footer{sections: len(p.sections), offset: p.base, length: p.at}
	p.body.Sum(f.body[:0])
	p.digest = f.body
	table := appendTable(nil, p.sections)
	f.head = f.headHash(p.metadata, table)
	_, p.err = p.w.Write(f.append(table))
	return p.err
}

// Digest is the hash of the whole payload, known after Close; a Link needs it.
func (p *Writer) Digest() [32]byte { return p.digest }

// Sum is the digest of all sections so far.
func (p *Writer) Sum() []byte { return p.body.Sum(nil) }

func (p *Writer) put(b []byte) int {
	if p.err != nil || len(b) == 0 {
		return 0
	}
	n, err := p.w.Write(b)
	p.body.Write(b[:n])
	p.at += int64(n)
	p.err = err
	return n
}
