package checkpoint

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// loadPickle checks and reads the pickle that b begins with and returns its
// length.
func loadPickle(b []byte) (value any, length int, err error) {
	if length, err = scanPickle(b); err != nil {
		return nil, 0, err
	}
	defer func() {
		if p := recover(); p != nil {
			value, err = nil, errors.New("pickle: malformed")
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(b[:length]))
	u.FindClass = findClass
	u.PersistentLoad = loadStorage
	if value, err = u.Load(); err != nil {
		return nil, 0, fmt.Errorf("pickle: %s", oneLine(err))
	}
	return value, length, nil
}

// namedTensor is an item of the dictionary that a checkpoint is.
type namedTensor struct {
	name string
	*torchTensor
}

// stateDict reads the dictionary of tensors; values of other kinds, the
// dictionary itself for one, are errors.
func stateDict(value any) ([]namedTensor, error) {
	var list []namedTensor
	seen := map[string]bool{}
	add := func(key, value any) error {
		name, isText := key.(string)
		if !isText {
			return errors.New("not a checkpoint: a dictionary whose keys are not all names")
		}
		t, isTensor := value.(*torchTensor)
		if !isTensor {
			return fmt.Errorf("%s: not a tensor", printable(name))
		}
		if seen[name] {
			return fmt.Errorf("%s: named twice", printable(name))
		}
		seen[name] = true
		list = append(list, namedTensor{name, t})
		return nil
	}
	switch d := value.(type) {
	case *types.Dict:
		for _, entry := range *d {
			if err := add(entry.Key, entry.Value); err != nil {
				return nil, err
			}
		}
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			if err := add(entry.Key, entry.Value); err != nil {
				return nil, err
			}
		}
	default:
		return nil, errors.New("not a checkpoint: the pickle holds no dictionary of tensors")
	}
	return list, nil
}

// tensors places the tensors of a dictionary; begin tells where a storage
// lies, in bytes from the start of the file, after checking its length.
func (s *source) tensors(list []namedTensor, begin func(*torchStorage) (int64, error)) ([]*Tensor, error) {
	all := make([]*Tensor, len(list))
	for i, item := range list {
		st := item.storage
		at, err := begin(st)
		if err == nil {
			size := int64(st.dtype.Size())
			all[i], err = newTensor(s, item.name, st.dtype, at+st.offset*size, st.length*size, item.view)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", printable(item.name), err)
		}
	}
	return all, nil
}
