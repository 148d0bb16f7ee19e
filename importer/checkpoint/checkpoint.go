// Package checkpoint opens checkpoints in any container as named tensors that
// are read on demand; it sees ir/tensor and runtime/safetensors.
package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/mambac/mambac/ir/tensor"
)

// maxText bounds the JSON files of a checkpoint.
const maxText = 64 << 20

// Checkpoint is a set of tensors and the files beside them. Only descriptions
// are in memory; values are read from files that stay open until Close.
type Checkpoint struct {
	Path    string // as given to Open
	folder  string
	config  []byte
	tensors map[string]*Tensor
	files   []*os.File
}

// Open opens a folder, or one file of weights that has its config.json beside
// it. Every tensor is checked against the files; errors are one line and name
// file and tensor.
func Open(path string) (*Checkpoint, error) {
	c := &Checkpoint{Path: path, tensors: map[string]*Tensor{}}
	if err := c.open(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Checkpoint) open() error {
	weights, err := locate(c.Path)
	if err != nil {
		return err
	}
	c.folder = filepath.Dir(weights)
	text, ok, err := c.File("config.json")
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%s: no config.json beside %s", printable(c.folder), printable(filepath.Base(weights)))
	}
	c.config = text
	if filepath.Ext(weights) == indexExt {
		return c.addSharded(weights)
	}
	return c.addFile(weights)
}

// addFile adds the tensors of one file.
func (c *Checkpoint) addFile(path string) error {
	tensors, err := c.read(path)
	for _, t := range tensors {
		c.tensors[t.Name] = t
	}
	return err
}

// read opens one file and lists its tensors, whose names differ. The file
// stays open.
func (c *Checkpoint) read(path string) ([]*Tensor, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	c.files = append(c.files, f)
	tensors, err := readTensors(&source{r: f, path: path, size: size})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", printable(path), err)
	}
	return tensors, nil
}

// Names lists the tensors, sorted.
func (c *Checkpoint) Names() []string { return slices.Sorted(maps.Keys(c.tensors)) }

// Tensor finds a tensor by name.
func (c *Checkpoint) Tensor(name string) (*Tensor, bool) {
	t, ok := c.tensors[name]
	return t, ok
}

// Bytes is the size of all values as stored, shared ones counted once.
func (c *Checkpoint) Bytes() int64 {
	type place struct {
		file  string
		begin int64
	}
	longest := map[place]int64{}
	for _, t := range c.tensors {
		at := place{t.File, t.begin + t.offset*int64(t.DType.Size())}
		longest[at] = max(longest[at], int64(t.Shape.Elements())*int64(t.DType.Size()))
	}
	total := int64(0)
	for _, n := range longest {
		total += n
	}
	return total
}

// Config is the text of config.json.
func (c *Checkpoint) Config() []byte { return c.config }

// File reads a small file beside the weights, such as tokenizer.json; false if
// there is none.
func (c *Checkpoint) File(name string) ([]byte, bool, error) {
	path := filepath.Join(c.folder, name)
	text, err := readText(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return text, err == nil, err
}

// Holds reports whether a path is a file that the checkpoint is read from:
// weights, or JSON beside them.
func (c *Checkpoint) Holds(path string) bool {
	st, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, f := range c.files {
		if own, err := f.Stat(); err == nil && os.SameFile(own, st) {
			return true
		}
	}
	folder, err := os.Stat(filepath.Dir(path))
	own, ownErr := os.Stat(c.folder)
	return err == nil && ownErr == nil && os.SameFile(folder, own) && filepath.Ext(path) == ".json"
}

// Close closes the files; tensors cannot be read afterwards.
func (c *Checkpoint) Close() error {
	var all []error
	for _, f := range c.files {
		all = append(all, f.Close())
	}
	c.files = nil
	return errors.Join(all...)
}

// unsupported says that a tensor's elements are of no type we read.
func unsupported(dtype string) error {
	return fmt.Errorf("element type %s is not supported, want one of %v", printable(dtype),
		[]tensor.DType{tensor.F32, tensor.F16, tensor.BF16, tensor.F64, tensor.I64, tensor.I32, tensor.I16, tensor.I8, tensor.U8, tensor.Bool})
}
