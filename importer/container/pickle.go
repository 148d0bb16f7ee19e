package container

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/mambac/mambac/ir/tensor"
)

// storageClasses are torch's names of typed storages.
var storageClasses = map[tensor.DType]string{
	tensor.F32: "FloatStorage", tensor.F16: "HalfStorage",
	tensor.BF16: "BFloat16Storage", tensor.F64: "DoubleStorage",
}

// pickler emits the opcodes of pickle protocol 2 in the order torch does.
// Strings and classes are remembered and referred to; nothing else is.
type pickler struct {
	b    []byte
	memo map[string]int
}

func newPickler() *pickler {
	return &pickler{b: []byte{0x80, 2}, memo: map[string]int{}}
}

func (p *pickler) op(codes ...byte) { p.b = append(p.b, codes...) }

// remembered refers to key's earlier value, or emits it and puts it into the
// memo.
func (p *pickler) remembered(key string, emit func()) {
	if i, ok := p.memo[key]; ok {
		p.memoOp('h', 'j', i)
		return
	}
	emit()
	p.memo[key] = len(p.memo)
	p.memoOp('q', 'r', p.memo[key])
}

// memoOp uses the short form of a memo opcode while it can.
func (p *pickler) memoOp(short, long byte, i int) {
	if i < 256 {
		p.op(short, byte(i))
		return
	}
	p.op(long)
	p.b = binary.LittleEndian.AppendUint32(p.b, uint32(i))
}

func (p *pickler) text(s string) {
	p.remembered("s"+s, func() {
		p.op('X')
		p.b = binary.LittleEndian.AppendUint32(p.b, uint32(len(s)))
		p.b = append(p.b, s...)
	})
}

func (p *pickler) class(module, name string) {
	p.remembered("c"+module+" "+name, func() {
		p.op('c')
		p.b = append(p.b, module+"\n"+name+"\n"...)
	})
}

func (p *pickler) number(n int64) {
	switch {
	case n >= 0 && n < 1<<8:
		p.op('K', byte(n))
	case n >= 0 && n < 1<<16:
		p.op('M')
		p.b = binary.LittleEndian.AppendUint16(p.b, uint16(n))
	case n >= -1<<31 && n < 1<<31:
		p.op('J')
		p.b = binary.LittleEndian.AppendUint32(p.b, uint32(n))
	default:
		p.op(0x8a, 8)
		p.b = binary.LittleEndian.AppendUint64(p.b, uint64(n))
	}
}

func (p *pickler) numbers(list []int) {
	p.op('(')
	for _, n := range list {
		p.number(int64(n))
	}
	p.op('t')
}

// emptyDict emits a new collections.OrderedDict.
func (p *pickler) emptyDict() {
	p.class("collections", "OrderedDict")
	p.op(')', 'R')
}

// tensor emits a call of torch's rebuild function on the whole of a storage.
// Legacy storages end in one more field, None: they are no views.
func (p *pickler) tensor(t Tensor, key string, legacy bool) {
	p.class("torch._utils", "_rebuild_tensor_v2")
	p.op('(', '(')
	p.text("storage")
	p.class("torch", storageClasses[t.DType])
	p.text(key)
	p.text("cpu")
	p.number(int64(t.Shape.Elements()))
	if legacy {
		p.op('N')
	}
	p.op('t', 'Q')
	p.number(0)
	p.numbers(t.Shape)
	p.numbers(strides(t.Shape))
	p.op(0x89)
	p.emptyDict()
	p.op('t', 'R')
}

// strides are those of a contiguous tensor, in elements.
func strides(s tensor.Shape) []int {
	list := make([]int, len(s))
	step := 1
	for i := len(s) - 1; i >= 0; i-- {
		list[i] = step
		step *= s[i]
	}
	return list
}

// stateDict emits all tensors as torch saves a module's state: an ordered
// dictionary with an attribute beside its items. storages
// belong to the tensors one by one.
func stateDict(tensors []Tensor, storages []storage, legacy bool) []byte {
	p := newPickler()
	p.emptyDict()
	const batch = 1000 // Python's pickler does the same
	for at := 0; at < len(tensors); at += batch {
		p.op('(')
		for i := at; i < min(at+batch, len(tensors)); i++ {
			p.text(tensors[i].Name)
			p.tensor(tensors[i], storages[i].key, legacy)
		}
		p.op('u')
	}
	p.op('}')
	p.text("_metadata")
	p.emptyDict()
	p.op('s', 'b', '.')
	return p.b
}

// storage is where the values of a tensor go.
type storage struct {
	key   string
	first bool // no tensor before it has this storage
}

// storagesOf numbers the storages of a file; a tied tensor has its partner's
// if that is in the file too.
func storagesOf(tensors []Tensor) ([]storage, error) {
	list := make([]storage, len(tensors))
	byName := map[string]int{}
	next := 0
	for i, t := range tensors {
		if storageClasses[t.DType] == "" {
			return nil, fmt.Errorf("%s: cannot write %v, want f32, f16, bf16 or f64", t.Name, t.DType)
		}
		byName[t.Name] = i
		partner, ok := byName[t.Tied]
		if !ok || tensors[partner].DType != t.DType || !tensors[partner].Shape.Equal(t.Shape) {
			list[i] = storage{strconv.Itoa(next), true}
			next++
			continue
		}
		list[i].key = list[partner].key
	}
	return list, nil
}
