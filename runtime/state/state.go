// Package state is the file format of what a sequence has read: float32 in
// canonical order, whatever CPU level wrote it. It sees nothing of ours.
//
// A file is, all integers little-endian:
//
//	magic       8 bytes, "mambacST"
//	version     uint32, 1
//	length      uint32, of the header
//	header      JSON, Header
//	values      float32 of the header's tensors, one after the other
//	checksum    SHA-256 of all before it
package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"time"
)

const (
	magic     = "mambacST"
	version   = 1
	preamble  = len(magic) + 8
	maxHeader = 1 << 20

	// maxPosition leaves room to count on, and is a number in every JSON.
	maxPosition = 1 << 53
)

// Header says what a file holds.
type Header struct {
	Model    string `json:"model"`           // fingerprint of weights and tokenizer
	Weights  string `json:"weights"`         // storage format
	Math     string `json:"math"`            // exact or fast
	Cache    string `json:"cache,omitempty"` // format of keys and values; "" without, and for f32
	Position int    `json:"position"`        // tokens read
	Text     string `json:"text"`            // digest of the ids read, in hexadecimal
	Seen     []byte `json:"seen,omitempty"`  // bit set of the ids read, the first in the lowest bit; none: not known

	// What somebody has said of it, if anything.
	Label   string    `json:"label,omitempty"`
	Source  string    `json:"source,omitempty"` // what the text is from
	Parent  string    `json:"parent,omitempty"` // name of the state that it was made from
	Created time.Time `json:"created,omitzero"`

	Tensors []Tensor `json:"tensors"`
}

// Tensor is one array of the state.
type Tensor struct {
	Name   string    `json:"name"`
	Shape  []int     `json:"shape"`
	Values []float32 `json:"-"` // row-major
}

// maxElements is what a system can have the bytes of.
const maxElements = math.MaxInt / 4

// Elements is the number of values; negative for a shape that is none, or too
// large for this system.
func (t *Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		if d < 0 || d > 0 && n > maxElements/d {
			return -1
		}
		n *= d
	}
	return n
}

func (t *Tensor) check() error {
	if t.Elements() < 0 {
		return fmt.Errorf("state file has tensor %q %v, which is none, or too large for this system", t.Name, t.Shape)
	}
	return nil
}

func (t *Tensor) equal(o *Tensor) bool { return t.Name == o.Name && slices.Equal(t.Shape, o.Shape) }

// Write writes a file. Equal headers and values give equal bytes.
func Write(w io.Writer, h *Header) error {
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	if err := writeHeader(out, h); err != nil {
		return err
	}
	for i := range h.Tensors {
		if err := writeFloats(out, h.Tensors[i].Values); err != nil {
			return err
		}
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// writeHeader writes all before the values.
func writeHeader(w io.Writer, h *Header) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if len(text) > maxHeader {
		return fmt.Errorf("state header has %d bytes, want at most %d; choose a shorter label or source", len(text), maxHeader)
	}
	head := append([]byte(magic), 0, 0, 0, 0, 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(head[len(magic):], version)
	binary.LittleEndian.PutUint32(head[len(magic)+4:], uint32(len(text)))
	_, err = w.Write(append(head, text...))
	return err
}

// Rewrite copies a file as change would have its header, but for the tensors,
// and proves the checksum of what it reads. After an error what it wrote is of no
// use.
func Rewrite(w io.Writer, r io.Reader, change func(*Header)) error {
	in, err := NewReader(r)
	if err != nil {
		return err
	}
	h := in.Header
	change(&h)
	h.Tensors = in.Header.Tensors
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	if err := writeHeader(out, &h); err != nil {
		return err
	}
	if err := in.pass(out); err != nil {
		return err
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// blockFloats is the number of values that are converted at a time.
const blockFloats = 4096

func writeFloats(w io.Writer, values []float32) error {
	block := make([]byte, 0, 4*blockFloats)
	for len(values) > 0 {
		n := min(blockFloats, len(values))
		block = block[:0]
		for _, v := range values[:n] {
			block = binary.LittleEndian.AppendUint32(block, math.Float32bits(v))
		}
		if _, err := w.Write(block); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// Reader reads a file: first the header, then the values of tensors that the
// caller expects.
type Reader struct {
	Header Header
	in     io.Reader // of what follows the header
	sum    hash.Hash // of all that was read
	source io.Reader
}

// NewReader reads and checks the header. It allocates no more than a header
// may have, whatever the file claims.
func NewReader(r io.Reader) (*Reader, error) {
	s := &Reader{sum: sha256.New(), source: r}
	s.in = io.TeeReader(r, s.sum)
	var head [preamble]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return nil, cutOff(err)
	}
	if string(head[:len(magic)]) != magic {
		return nil, errors.New("is no state file: it begins with other bytes; want one that was saved by a model")
	}
	if v := binary.LittleEndian.Uint32(head[len(magic):]); v != version {
		return nil, fmt.Errorf("state file has version %d, want %d: it was written by another mambac; save it again with this one", v, version)
	}
	n := binary.LittleEndian.Uint32(head[len(magic)+4:])
	if n > maxHeader {
		return nil, fmt.Errorf("state header has %d bytes, want at most %d", n, maxHeader)
	}
	var text bytes.Buffer // grows with what there is
	if _, err := io.CopyN(&text, s.in, int64(n)); err != nil {
		return nil, cutOff(err)
	}
	if err := json.Unmarshal(text.Bytes(), &s.Header); err != nil {
		return nil, fmt.Errorf("state header: %w", err)
	}
	if p := int64(s.Header.Position); p < 0 || p > maxPosition {
		return nil, fmt.Errorf("state header: position is %d, want 0 to %d", p, int64(maxPosition))
	}
	return s, nil
}

// ReadValues fills the values of the tensors that the caller expects, whose
// names and shapes must be the file's in the same order, and proves the
// checksum. Values are allocated as they come, so that a file that is cut off
// costs no more than it holds. After an error they are of no use.
func (s *Reader) ReadValues(want []Tensor) error {
	if len(want) != len(s.Header.Tensors) {
		return fmt.Errorf("state file has %d tensors, want %d", len(s.Header.Tensors), len(want))
	}
	for i := range want {
		if have := &s.Header.Tensors[i]; !want[i].equal(have) {
			return fmt.Errorf("state file has tensor %q %v, want %q %v", have.Name, have.Shape, want[i].Name, want[i].Shape)
		}
	}
	for i := range want {
		if err := want[i].check(); err != nil {
			return err
		}
		if err := readTensor(s.in, &want[i]); err != nil {
			return cutOff(err)
		}
	}
	return s.checksum()
}

// Verify reads the values of a file without keeping them, whatever model it is
// of, and proves the checksum.
func (s *Reader) Verify() error { return s.pass(io.Discard) }

// pass hands the values on as they are in the file.
func (s *Reader) pass(w io.Writer) error {
	for i := range s.Header.Tensors {
		t := &s.Header.Tensors[i]
		if err := t.check(); err != nil {
			return err
		}
		if _, err := io.CopyN(w, s.in, 4*int64(t.Elements())); err != nil {
			return cutOff(err)
		}
	}
	return s.checksum()
}

// End tells of bytes behind the file, when it has been read.
func (s *Reader) End() error {
	_, err := io.ReadFull(s.source, make([]byte, 1))
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errors.New("state file has bytes behind its end: it was altered; save it again")
}

func (s *Reader) checksum() error {
	have := s.sum.Sum(nil)
	var want [sha256.Size]byte
	if _, err := io.ReadFull(s.source, want[:]); err != nil {
		return cutOff(err)
	}
	if !bytes.Equal(have, want[:]) {
		return errors.New("state file is damaged: its checksum is another one; save it again, or take a copy of it")
	}
	return nil
}

// readTensor reads a tensor's values, in pieces that grow with what came.
func readTensor(r io.Reader, t *Tensor) error {
	n := t.Elements()
	t.Values = t.Values[:0]
	for have := 0; have < n; have = len(t.Values) {
		more := min(n-have, max(have, blockFloats))
		t.Values = slices.Grow(t.Values, more)[:have+more]
		if err := readFloats(r, t.Values[have:]); err != nil {
			return err
		}
	}
	return nil
}

func readFloats(r io.Reader, values []float32) error {
	block := make([]byte, 4*blockFloats)
	for len(values) > 0 {
		n := min(blockFloats, len(values))
		if _, err := io.ReadFull(r, block[:4*n]); err != nil {
			return err
		}
		for i := range n {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(block[4*i:]))
		}
		values = values[n:]
	}
	return nil
}

// cutOff names the end of a file that came too early.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("state file is cut off; save it again, or take a whole copy of it")
	}
	return err
}
