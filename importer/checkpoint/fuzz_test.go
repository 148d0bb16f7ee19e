package checkpoint

import (
	"bytes"
	"testing"

	"github.com/nlpodyssey/gopickle/pickle"
)

// fuzzLimit keeps inputs at a size where one run takes no time.
const fuzzLimit = 64 << 10

// readEverything reads all tensors that a reader accepted: what it promised
// must be there.
func readEverything(t *testing.T, name string, data []byte) {
	if len(data) > fuzzLimit {
		return
	}
	tensors, err := fromBytes(name, data)
	if err != nil {
		if bytes.ContainsAny([]byte(err.Error()), "\n\r\x00") {
			t.Errorf("error of more than a line: %q", err)
		}
		return
	}
	dst := make([]float32, len(data))
	for _, x := range tensors[:min(len(tensors), 100)] {
		n := x.Shape.Elements()
		if n > len(data) {
			t.Fatalf("%s %v: %d elements in %d bytes", x.Name, x.Shape, n, len(data))
		}
		if n == 0 {
			continue
		}
		if err := x.ReadRows(dst[:n], 0, x.Shape.Rows()); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzTorchZip(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		readEverything(t, "a.bin", append([]byte("PK\x03\x04"), data...))
	})
}

// FuzzTorchData varies the pickle of an archive that is otherwise fine, which
// bytes changed at random rarely leave it.
func FuzzTorchData(f *testing.F) {
	f.Fuzz(func(t *testing.T, pickle, storage []byte) {
		if len(pickle)+len(storage) < fuzzLimit/2 {
			readEverything(t, "a.bin", zipOf(t, entry{"a/data.pkl", pickle}, entry{"a/data/0", storage}))
		}
	})
}

func FuzzLegacy(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		readEverything(t, "a.bin", append([]byte("\x80"), data...))
	})
}

// FuzzPickleScan holds the scanner against the unpickler: where both accept,
// they agree on the length, and the unpickler sees no class of its own.
func FuzzPickleScan(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > fuzzLimit {
			return
		}
		n, err := scanPickle(data)
		if err != nil {
			return
		}
		if n < 1 || n > len(data) || data[n-1] != '.' {
			t.Fatalf("length %d of %d", n, len(data))
		}
		value, length, err := loadPickle(data)
		if err != nil {
			return
		}
		if length != n {
			t.Fatalf("length %d, then %d", n, length)
		}
		rest := bytes.NewReader(data)
		u := pickle.NewUnpickler(rest)
		u.FindClass, u.PersistentLoad = findClass, loadStorage
		if _, err := u.Load(); err != nil || rest.Len() != len(data)-n {
			t.Fatalf("the unpickler left %d bytes of %d, the scanner %d (%v)", rest.Len(), len(data), len(data)-n, err)
		}
		if _, err := stateDict(value); err != nil && bytes.ContainsAny([]byte(err.Error()), "\n\r\x00") {
			t.Errorf("error of more than a line: %q", err)
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		homes, err := parseIndex(data, ".bin")
		if err != nil {
			if bytes.ContainsAny([]byte(err.Error()), "\n\r\x00") {
				t.Errorf("error of more than a line: %q", err)
			}
			return
		}
		for name, shard := range homes {
			if shard == "" || shard == ".." || bytes.ContainsAny([]byte(shard), "/\\\x00") {
				t.Errorf("%q: shard %q", name, shard)
			}
		}
	})
}
