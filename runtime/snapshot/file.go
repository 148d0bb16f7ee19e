package snapshot

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/mambac/mambac/runtime/atomicfile"
	"github.com/mambac/mambac/runtime/state"
)

// Save writes a snapshot to a file, which is the old one or the new one whatever
// happens.
func (c *Codec) Save(path string, s *Snapshot) error {
	h, err := c.Header(s)
	if err != nil {
		return err
	}
	return SaveHeader(path, h)
}

// SaveHeader is Save of what Header gave. States tell of what was read: the file is its
// owner's alone.
func SaveHeader(path string, h *state.Header) error {
	return atomicfile.Write(path, 0o600, func(w io.Writer) error { return state.Write(w, h) })
}

// Load reads the snapshot that is all of a file.
func (c *Codec) Load(path string) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := c.ReadWhole(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// ReadWhole reads the snapshot that is all of r.
func (c *Codec) ReadWhole(r io.Reader) (*Snapshot, error) {
	in, err := state.NewReader(r)
	if err != nil {
		return nil, err
	}
	s, err := c.read(in)
	if err != nil {
		return nil, err
	}
	return s, in.End()
}
