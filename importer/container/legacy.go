package container

import (
	"encoding/binary"
	"io"
)

func init() {
	register(format{name: "torch-legacy", write: legacyFile, holes: true})
}

func legacyFile(tensors []Tensor, _ int64, create Create) error {
	return writeFile(create, "pytorch_model.bin", func(w io.Writer) error { return writeLegacy(w, tensors) })
}

// legacyMagic is the number 0x1950a86a20f9469cfc6c, which opens the stream.
var legacyMagic = []byte{0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'}

// writeLegacy writes what torch saved before 1.6: five pickles (magic,
// protocol, system, the tensors, the keys of the storages), then every storage
// behind its number of elements.
func writeLegacy(w io.Writer, tensors []Tensor) error {
	storages, err := storagesOf(tensors)
	if err != nil {
		return err
	}
	head := append([]byte{}, legacyMagic...)
	head = append(head, legacyProtocol()...)
	head = append(head, legacySystem()...)
	head = append(head, stateDict(tensors, storages, true)...)
	head = append(head, legacyKeys(storages)...)
	if _, err := w.Write(head); err != nil {
		return err
	}
	for i, t := range tensors {
		if !storages[i].first {
			continue
		}
		count := binary.LittleEndian.AppendUint64(nil, uint64(t.Shape.Elements()))
		if _, err := w.Write(count); err != nil {
			return err
		}
		if err := writeValues(w, t); err != nil {
			return err
		}
	}
	return nil
}

func legacyProtocol() []byte {
	p := newPickler()
	p.number(1001)
	p.op('.')
	return p.b
}

func legacySystem() []byte {
	p := newPickler()
	p.op('}', '(')
	p.text("protocol_version")
	p.number(1001)
	p.text("little_endian")
	p.op(0x88)
	p.text("type_sizes")
	p.op('}', '(')
	for _, size := range []struct {
		name  string
		bytes int64
	}{{"short", 2}, {"int", 4}, {"long", 4}} {
		p.text(size.name)
		p.number(size.bytes)
	}
	p.op('u', 'u', '.')
	return p.b
}

func legacyKeys(storages []storage) []byte {
	p := newPickler()
	p.op(']', '(')
	for _, s := range storages {
		if s.first {
			p.text(s.key)
		}
	}
	p.op('e', '.')
	return p.b
}
