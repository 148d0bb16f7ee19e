package checkpoint

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// torchZip is a zip archive of a pickle, root/data.pkl, and one uncompressed
// entry for each storage, root/data/KEY.
type torchZip struct {
	src     *source
	root    string
	entries map[string]body
}

// body is where the bytes of an entry lie; err says why they cannot be used.
type body struct {
	begin, size int64
	err         error
}

func readTorchZip(src *source) ([]*Tensor, error) {
	z, err := openTorchZip(src)
	if err != nil {
		return nil, err
	}
	if err := z.checkByteOrder(); err != nil {
		return nil, err
	}
	text, err := z.read("data.pkl", maxPickle)
	if err != nil {
		return nil, err
	}
	value, _, err := loadPickle(text)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	list, err := stateDict(value)
	if err != nil {
		return nil, err
	}
	return src.tensors(list, z.storage)
}

// openTorchZip lists the entries.
func openTorchZip(src *source) (*torchZip, error) {
	r, err := zip.NewReader(src.r, src.size)
	if err != nil {
		return nil, fmt.Errorf("a zip archive that is damaged or cut off: %w", err)
	}
	z := &torchZip{src: src, entries: make(map[string]body, len(r.File))}
	for _, f := range r.File {
		if _, ok := z.entries[f.Name]; ok {
			return nil, fmt.Errorf("entry %s: named twice", printable(f.Name))
		}
		z.entries[f.Name] = locateBody(f, src.size)
		if root, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(root, "/") {
			if z.root != "" {
				return nil, errors.New("a zip archive with more than one data.pkl")
			}
			z.root = root
		}
	}
	if z.root == "" {
		return nil, errors.New("not a checkpoint: a zip archive without data.pkl")
	}
	return z, z.checkOverlap()
}

// locateBody finds the bytes of an entry. What is compressed or encrypted is
// refused: torch stores, and lengths can then be held against the file.
func locateBody(f *zip.File, size int64) body {
	const encrypted = 1
	switch {
	case f.Flags&encrypted != 0:
		return body{err: errors.New("encrypted")}
	case f.Method != zip.Store:
		return body{err: errors.New("compressed; torch stores weights uncompressed")}
	case f.CompressedSize64 != f.UncompressedSize64:
		return body{err: fmt.Errorf("%d bytes said to be %d", f.CompressedSize64, f.UncompressedSize64)}
	}
	begin, err := f.DataOffset()
	if err != nil {
		return body{err: err}
	}
	if f.UncompressedSize64 > uint64(size) || begin > size-int64(f.UncompressedSize64) {
		return body{err: fmt.Errorf("%d bytes from byte %d in a file of %d", f.UncompressedSize64, begin, size)}
	}
	return body{begin: begin, size: int64(f.UncompressedSize64)}
}

// checkOverlap refuses entries that reach into the next one.
func (z *torchZip) checkOverlap() error {
	type named struct {
		name string
		body
	}
	var list []named
	for name, b := range z.entries {
		if b.err == nil {
			list = append(list, named{name, b})
		}
	}
	slices.SortFunc(list, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.name, b.name))
	})
	const localHeader = 30
	for i := 1; i < len(list); i++ {
		end, next := list[i-1].begin+list[i-1].size, list[i]
		if end > next.begin-localHeader-int64(len(next.name)) {
			return fmt.Errorf("entry %s: %d bytes reach into entry %s", printable(list[i-1].name), list[i-1].size, printable(next.name))
		}
	}
	return nil
}

// read returns a whole small entry.
func (z *torchZip) read(name string, most int64) ([]byte, error) {
	b := z.entries[z.root+"/"+name]
	if b.err == nil && b.size > most {
		b.err = fmt.Errorf("%d bytes, want at most %d", b.size, most)
	}
	if b.err != nil {
		return nil, fmt.Errorf("entry %s: %w", name, b.err)
	}
	text := make([]byte, b.size)
	return text, z.src.read(text, b.begin)
}

// checkByteOrder reads the entry that newer archives have.
func (z *torchZip) checkByteOrder() error {
	if _, ok := z.entries[z.root+"/byteorder"]; !ok {
		return nil
	}
	text, err := z.read("byteorder", 16)
	if err == nil && string(text) != "little" {
		err = fmt.Errorf("byte order %s, want little", printable(string(text)))
	}
	return err
}

// storage finds the entry of a storage.
func (z *torchZip) storage(s *torchStorage) (int64, error) {
	b, ok := z.entries[z.root+"/data/"+s.key]
	switch {
	case !ok:
		return 0, fmt.Errorf("no entry data/%s", printable(s.key))
	case b.err != nil:
		return 0, fmt.Errorf("entry data/%s: %w", printable(s.key), b.err)
	case s.count != b.size/int64(s.dtype.Size()):
		return 0, fmt.Errorf("entry data/%s: %d bytes, want %d elements of %v", printable(s.key), b.size, s.count, s.dtype)
	}
	return b.begin, nil
}
