package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"testing"
)

// ops joins parts of a pickle: strings are opcodes as they are, text becomes a
// unicode constant, ints numbers, slices tuples of numbers.
func ops(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		case text:
			b = append(b, 'X')
			b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
			b = append(b, p...)
		case int:
			b = append(b, 0x8a, 8)
			b = binary.LittleEndian.AppendUint64(b, uint64(p))
		case []int:
			b = append(b, '(')
			for _, n := range p {
				b = append(b, ops(n)...)
			}
			b = append(b, 't')
		}
	}
	return b
}

type text string

// storageOps is a reference to a FloatStorage.
func storageOps(key string, count int) []byte {
	return ops("((", text("storage"), "ctorch\nFloatStorage\n", text(key), text("cpu"), count, "tQ")[1:]
}

// tensorOps rebuilds a tensor from a storage.
func tensorOps(storage []byte, offset int, shape, strides []int) []byte {
	return ops("ctorch._utils\n_rebuild_tensor_v2\n(", storage, offset, shape, strides, "\x89ccollections\nOrderedDict\n)RtR")
}

// dictOps is a whole pickle of a dictionary with the given items.
func dictOps(items ...any) []byte {
	return ops("\x80\x02}(", ops(items...), "u.")
}

// entry is a file of a zip archive.
type entry struct {
	name string
	data []byte
}

// zipOf is an archive of stored entries.
func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// floats are count values 0, 1, 2, … as stored.
func floats(count int) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, rising(count))
	if err != nil {
		panic(err)
	}
	return b
}

func rising(count int) []float32 {
	values := make([]float32, count)
	for i := range values {
		values[i] = float32(i)
	}
	return values
}

// fromBytes reads tensors of a file in memory.
func fromBytes(name string, data []byte) ([]*Tensor, error) {
	return readTensors(&source{r: bytes.NewReader(data), path: name, size: int64(len(data))})
}
