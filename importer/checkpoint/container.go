package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// source is a file of weights.
type source struct {
	r    io.ReaderAt
	path string
	size int64
}

// readTensors lists the tensors of a file. A name tells safetensors from
// torch, as it does for torch itself; content tells a zip from the older form.
func readTensors(src *source) ([]*Tensor, error) {
	head := make([]byte, min(src.size, 64))
	if err := src.read(head, 0); err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("version https://git-lfs")):
		return nil, errors.New("a Git LFS pointer, not the weights; run git lfs pull")
	case filepath.Ext(src.path) == ".safetensors":
		return readSafetensors(src)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return readTorchZip(src)
	case bytes.HasPrefix(head, []byte("\x80")):
		return readLegacy(src)
	}
	return nil, errors.New("not a checkpoint: neither a zip archive nor a pickle of torch")
}

// read fills b; a file that ends early is io.ErrUnexpectedEOF.
func (s *source) read(b []byte, at int64) error {
	n, err := s.r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("at byte %d: %w", at+int64(n), err)
}
