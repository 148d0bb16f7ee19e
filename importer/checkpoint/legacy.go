package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/nlpodyssey/gopickle/types"

	"github.com/mambac/mambac/ir/tensor"
)

// The first two pickles of the legacy stream.
const (
	legacyMagic    = "119547037146038801333356" // 0x1950a86a20f9469cfc6c
	legacyProtocol = 1001
)

// legacy reads the stream that torch wrote before it wrote zip archives: five
// pickles (magic, protocol, system, the dictionary, the keys of the storages),
// then, for each key, an int64 number of elements and the elements.
type legacy struct {
	src  *source
	head []byte // what of the file's begin can be pickles
	at   int64
	// begins and counts are those of the storages, by key.
	begins, counts map[string]int64
}

func readLegacy(src *source) ([]*Tensor, error) {
	l := &legacy{src: src, head: make([]byte, min(src.size, maxPickle))}
	if err := src.read(l.head, 0); err != nil {
		return nil, err
	}
	if err := l.header(); err != nil {
		return nil, err
	}
	value, err := l.pickle()
	if err != nil {
		return nil, err
	}
	list, err := stateDict(value)
	if err != nil {
		return nil, err
	}
	keys, err := l.pickle()
	if err != nil {
		return nil, err
	}
	if err := l.locate(list, keys); err != nil {
		return nil, err
	}
	return src.tensors(list, l.storage)
}

// pickle reads the next one.
func (l *legacy) pickle() (any, error) {
	value, n, err := loadPickle(l.head[l.at:])
	l.at += int64(n)
	return value, err
}

// header reads magic, protocol and system.
func (l *legacy) header() error {
	magic, err := l.pickle()
	if err != nil {
		return err
	}
	if n, ok := magic.(*big.Int); !ok || n.String() != legacyMagic {
		return errors.New("not a checkpoint: a pickle that torch did not write")
	}
	protocol, err := l.pickle()
	if err != nil {
		return err
	}
	if protocol != legacyProtocol {
		return fmt.Errorf("not a checkpoint: the legacy stream of torch, but not of version %d", legacyProtocol)
	}
	system, err := l.pickle()
	if err != nil {
		return err
	}
	return checkSystem(system)
}

// checkSystem refuses weights of a big-endian machine.
func checkSystem(system any) error {
	if d, ok := system.(*types.Dict); ok {
		for _, entry := range *d {
			if entry.Key == "little_endian" && entry.Value == true {
				return nil
			}
		}
	}
	return errors.New("legacy stream of torch: not from a little-endian machine")
}

// locate walks over the storages in the order of their keys. The length of an
// element is known from the tensors alone.
func (l *legacy) locate(list []namedTensor, keys any) error {
	dtypes := map[string]tensor.DType{}
	for _, item := range list {
		s := item.storage
		if other, ok := dtypes[s.key]; ok && other != s.dtype {
			return fmt.Errorf("storage %s: both %v and %v", printable(s.key), other, s.dtype)
		}
		dtypes[s.key] = s.dtype
	}
	order, ok := keys.(*types.List)
	if !ok {
		return errors.New("the list of storages is missing")
	}
	l.begins, l.counts = map[string]int64{}, map[string]int64{}
	for _, v := range *order {
		key, _ := v.(string)
		dtype, ok := dtypes[key]
		if _, again := l.begins[key]; !ok || again {
			return fmt.Errorf("storage %s: listed, but %s", printable(key), map[bool]string{true: "twice", false: "no tensor has it"}[again])
		}
		if err := l.skip(key, int64(dtype.Size())); err != nil {
			return fmt.Errorf("storage %s: %w", printable(key), err)
		}
	}
	if l.at != l.src.size {
		return fmt.Errorf("%d bytes behind the last storage", l.src.size-l.at)
	}
	return nil
}

// skip notes where the next storage lies and steps over it.
func (l *legacy) skip(key string, size int64) error {
	var count [8]byte
	if err := l.src.read(count[:], l.at); err != nil {
		return err
	}
	l.at += int64(len(count))
	n := binary.LittleEndian.Uint64(count[:])
	if n > uint64((l.src.size-l.at)/size) {
		return fmt.Errorf("%d elements of %d bytes, but %d bytes are left; is the file cut off?", n, size, l.src.size-l.at)
	}
	l.begins[key], l.counts[key] = l.at, int64(n)
	l.at += int64(n) * size
	return nil
}

// storage finds the place of a storage.
func (l *legacy) storage(s *torchStorage) (int64, error) {
	begin, ok := l.begins[s.key]
	if !ok {
		return 0, fmt.Errorf("storage %s is not in the file", printable(s.key))
	}
	if s.count != l.counts[s.key] {
		return 0, fmt.Errorf("storage %s: %d elements, want %d", printable(s.key), l.counts[s.key], s.count)
	}
	return begin, nil
}
