package payload

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
)

// Payload is an opened payload. Its sections stay valid until Close.
type Payload struct {
	path     string // of the file that holds it
	program  string // of the program that it is the payload of
	file     *mapping
	foot     footer
	body     []byte // the sections with their padding
	sections []section
	metadata *Metadata
}

// Open maps the payload at the end of the file and checks footer, version,
// lengths and metadata.
func Open(path string) (*Payload, error) {
	p, err := openFile(path)
	if err != nil {
		return nil, err
	}
	p.program = path
	return p, nil
}

func openFile(path string) (*Payload, error) {
	m, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	p, err := parse(m.data)
	if err != nil {
		m.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p.path, p.file = path, m
	return p, nil
}

// parse finds the payload in the bytes of a whole file.
func parse(data []byte) (*Payload, error) {
	if len(data) < footerBytes {
		return nil, ErrMissing
	}
	foot, err := parseFooter(data[len(data)-footerBytes:], int64(len(data)))
	if err != nil {
		return nil, err
	}
	data = data[foot.offset : len(data)-footerBytes]
	body, table := data[:foot.length], data[foot.length:]
	p := &Payload{foot: foot, body: body}
	if p.sections, err = parseTable(table, foot.length); err != nil {
		return nil, err
	}
	return p, p.readMetadata(table)
}

func (p *Payload) readMetadata(table []byte) error {
	metadata, ok := p.Section(MetadataSection)
	if p.foot.headHash(metadata, table) != p.foot.head {
		return errors.New("payload metadata is damaged; build it again")
	}
	if !ok {
		p.metadata = new(Metadata)
		return nil
	}
	var err error
	p.metadata, err = parseMetadata(metadata)
	return err
}

// ReadDigest is the digest that the file at path ends with, without a look at
// what it is of.
func ReadDigest(path string) (digest [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return digest, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() < footerBytes {
		return digest, errors.Join(err, ErrMissing)
	}
	var b [footerBytes]byte
	if _, err := f.ReadAt(b[:], st.Size()-footerBytes); err != nil {
		return digest, err
	}
	foot, err := parseFooter(b[:], st.Size())
	return foot.body, err
}

// Digest is the hash of the whole payload, as its footer says; Check proves it.
func (p *Payload) Digest() [sha256.Size]byte { return p.foot.body }

// Path is the file that holds the payload.
func (p *Payload) Path() string { return p.path }

// Program is the file of the program, which is another with a link.
func (p *Payload) Program() string { return p.program }

// Metadata is the parsed metadata section.
func (p *Payload) Metadata() *Metadata { return p.metadata }

// Section is the mapped bytes of a section; they must not be written to.
func (p *Payload) Section(name string) ([]byte, bool) {
	for _, s := range p.sections {
		if s.name == name {
			return p.body[s.offset : s.offset+s.length : s.offset+s.length], true
		}
	}
	return nil, false
}

// Check hashes the whole payload and compares with the footer.
func (p *Payload) Check() error {
	if got := sha256.Sum256(p.body); got != p.foot.body {
		return fmt.Errorf("%s: payload has hash %x, its footer says %x; it was altered, build it again", p.path, got[:8], p.foot.body[:8])
	}
	return nil
}

// Mapped reports whether the sections lie in a mapping that Close gives back,
// and not in memory of the caller.
func (p *Payload) Mapped() bool { return p.file != nil }

// Close unmaps the payload.
func (p *Payload) Close() error {
	if p.file == nil { // FromBytes
		return nil
	}
	return p.file.close()
}

// OpenSelf opens the payload of the running program.
func OpenSelf() (*Payload, error) {
	var first error
	for _, path := range selfPaths() {
		p, err := openOwn(path)
		if err == nil {
			return p, nil
		}
		if first == nil || errors.Is(first, os.ErrNotExist) {
			first = err
		}
	}
	if first == nil {
		first = errors.New("the program cannot find its own file: no /proc, and it was started without a path; start it by its full path")
	}
	return nil, first
}
