package model

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/mambac/mambac/runtime/payload"
)

// Option says how a model is opened.
type Option func(*options)

type options struct {
	source   func(*Package) (*payload.Payload, error) // nil: embedded, or found
	borrowed bool
	level    string
	threads  int
	context  int  // tokens of a session
	stay     bool // the weights stay where they are mapped
}

// PayloadFile maps the payload from a file, which must stay as it is while the
// model is open; of a folder, from the file in it that holds this package's.
func PayloadFile(path string) Option {
	return from(func(p *Package) (*payload.Payload, error) { return p.openPath(path) })
}

// PayloadReader reads the payload of size bytes into memory.
func PayloadReader(r io.ReaderAt, size int64) Option {
	return from(func(p *Package) (*payload.Payload, error) {
		data, err := readAll(r, size)
		if err != nil {
			return nil, fmt.Errorf("payload of package %s: %w", p.Name, err)
		}
		return p.verified(payload.FromBytes("payload of package "+p.Name, data))
	})
}

// PayloadFS reads the payload from a file of a file system into memory.
func PayloadFS(fsys fs.FS, name string) Option {
	return from(func(p *Package) (*payload.Payload, error) {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		return p.verified(payload.FromBytes(name, data))
	})
}

// OpenedPayload uses a payload that the caller closes after the model.
func OpenedPayload(file *payload.Payload) Option {
	return func(o *options) {
		o.source = func(*Package) (*payload.Payload, error) { return file, nil }
		o.borrowed = true
	}
}

// Threads sets the number of workers; 0, the default, is one per physical core
// that the process may use.
func Threads(n int) Option { return func(o *options) { o.threads = n } }

// Context bounds the tokens of a session, of models with attention; 0, the default,
// is no bound but the model's own. A session that would exceed it fails with
// ErrContext. States of fixed size have none.
func Context(tokens int) Option { return func(o *options) { o.context = tokens } }

// Level forces the kernels of a CPU level, which the package must hold and the
// processor have; "", the default, takes the best.
func Level(name string) Option { return func(o *options) { o.level = name } }

// PageCache leaves weights that are mapped from a file to the system's page
// cache. Without it, where the file lies there in small pages and memory
// allows, a session that goes on for long has them moved into huge ones, which
// takes as much memory again, but not of the model's: what has been moved is
// unmapped.
func PageCache() Option { return func(o *options) { o.stay = true } }

func from(source func(*Package) (*payload.Payload, error)) Option {
	return func(o *options) { o.source, o.borrowed = source, false }
}

// open opens the payload that was named, is part of the program, or is found.
func (o *options) open(p *Package) (*payload.Payload, error) {
	switch {
	case o.source != nil:
		return o.source(p)
	case p.Embedded != nil:
		return payload.FromBytes(p.Name+payload.Ext, p.Embedded)
	}
	return p.find()
}

// readBlock is how much is asked for before there is proof that it exists: a
// size is only what the caller says.
const readBlock = 64 << 20

func readAll(r io.ReaderAt, size int64) ([]byte, error) {
	if size < 0 || size != int64(int(size)) {
		return nil, fmt.Errorf("%d bytes do not fit into memory", size)
	}
	var data []byte
	for at := int64(0); at < size; at = int64(len(data)) {
		n := min(size-at, readBlock)
		data = append(data, make([]byte, n)...)
		if have, err := r.ReadAt(data[at:], at); int64(have) < n {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("have %d bytes, want %d: %w", at+int64(have), size, err)
		}
	}
	return data, nil
}
