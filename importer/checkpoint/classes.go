package checkpoint

import (
	"errors"
	"fmt"

	"github.com/nlpodyssey/gopickle/types"

	"github.com/mambac/mambac/ir/tensor"
)

// classes is all that a pickle may name.
var classes = map[string]any{
	"collections.OrderedDict":         &types.OrderedDictClass{},
	"torch._utils._rebuild_tensor_v2": rebuildTensor{},
	"torch._utils._rebuild_parameter": rebuildParameter{},
	"torch.FloatStorage":              tensor.F32,
	"torch.HalfStorage":               tensor.F16,
	"torch.BFloat16Storage":           tensor.BF16,
	"torch.DoubleStorage":             tensor.F64,
	"torch.LongStorage":               tensor.I64,
	"torch.IntStorage":                tensor.I32,
	"torch.ShortStorage":              tensor.I16,
	"torch.CharStorage":               tensor.I8,
	"torch.ByteStorage":               tensor.U8,
	"torch.BoolStorage":               tensor.Bool,
}

// checkClass refuses all classes but those in the list: to torch, the others
// can mean any code.
func checkClass(module, name string) error {
	if _, ok := classes[module+"."+name]; !ok {
		return fmt.Errorf("class %s is not one that weights need; the file may be malicious", printable(module+"."+name))
	}
	return nil
}

// findClass is checkClass for the unpickler.
func findClass(module, name string) (any, error) {
	return classes[module+"."+name], checkClass(module, name)
}

// torchStorage is a storage as a pickle refers to it.
type torchStorage struct {
	key    string
	dtype  tensor.DType
	count  int64 // elements of the whole storage
	offset int64 // of the part that the reference means, and its length
	length int64
}

// torchTensor is a tensor as a pickle describes it.
type torchTensor struct {
	storage *torchStorage
	view    view
}

// loadStorage reads a persistent id: ("storage", class, key, location, count)
// and, in the legacy form, None or (key, offset, length) of a part of it.
func loadStorage(id any) (any, error) {
	t, ok := id.(*types.Tuple)
	if !ok || t.Len() < 5 || t.Len() > 6 || t.Get(0) != "storage" {
		return nil, errors.New("a reference to something that is no storage")
	}
	dtype, isClass := t.Get(1).(tensor.DType)
	key, isText := t.Get(2).(string)
	count, isCount := t.Get(4).(int)
	if !isClass || !isText || !isCount || count < 0 {
		return nil, errors.New("a reference to a storage of unknown form")
	}
	s := &torchStorage{key: key, dtype: dtype, count: int64(count), length: int64(count)}
	if t.Len() == 6 && t.Get(5) != nil {
		return s, s.narrow(t.Get(5))
	}
	return s, nil
}

// narrow restricts a reference to a part of the storage.
func (s *torchStorage) narrow(part any) error {
	fields, ok := part.(*types.Tuple)
	if !ok || fields.Len() != 3 {
		return errors.New("a part of a storage of unknown form")
	}
	offset, isOffset := fields.Get(1).(int)
	length, isLength := fields.Get(2).(int)
	if !isOffset || !isLength || offset < 0 || length < 0 || int64(offset) > s.count || int64(length) > s.count-int64(offset) {
		return fmt.Errorf("a part that leaves storage %s of %d elements", printable(s.key), s.count)
	}
	s.offset, s.length = int64(offset), int64(length)
	return nil
}

// rebuildTensor is torch's function of storage, offset, size, stride,
// requires_grad and hooks.
type rebuildTensor struct{}

// Call implements types.Callable.
func (rebuildTensor) Call(args ...any) (any, error) {
	if len(args) < 6 || len(args) > 7 {
		return nil, fmt.Errorf("a tensor of %d fields, want 6", len(args))
	}
	storage, isStorage := args[0].(*torchStorage)
	offset, isOffset := args[1].(int)
	shape, err := ints(args[2])
	if err != nil {
		return nil, err
	}
	strides, err := ints(args[3])
	if err != nil {
		return nil, err
	}
	if !isStorage || !isOffset {
		return nil, errors.New("a tensor without storage and offset")
	}
	return &torchTensor{storage, view{int64(offset), shape, strides}}, nil
}

// rebuildParameter is torch's function of a tensor, requires_grad and hooks.
type rebuildParameter struct{}

// Call implements types.Callable.
func (rebuildParameter) Call(args ...any) (any, error) {
	if len(args) != 3 {
		return nil, fmt.Errorf("a parameter of %d fields, want 3", len(args))
	}
	t, ok := args[0].(*torchTensor)
	if !ok {
		return nil, errors.New("a parameter that is no tensor")
	}
	return t, nil
}

// ints reads a tuple of few numbers.
func ints(v any) ([]int, error) {
	t, ok := v.(*types.Tuple)
	if !ok || t.Len() > maxAxes {
		return nil, fmt.Errorf("a shape or strides that are no tuple of at most %d numbers", maxAxes)
	}
	list := make([]int, t.Len())
	for i := range list {
		if list[i], ok = t.Get(i).(int); !ok {
			return nil, errors.New("a shape or strides with something that is no number")
		}
	}
	return list, nil
}
