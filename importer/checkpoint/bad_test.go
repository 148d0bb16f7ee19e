package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// bad is a folder that must not open; files are by name.
type bad struct {
	files map[string][]byte
	want  []string // parts of the message
}

// Opening a bad checkpoint may allocate, garbage included, a fixed amount for
// decoders and maps and what a pickle's objects take in Go, which is at most
// some 90 bytes for a byte. No length that a file states counts.
const (
	allowance = 1 << 20
	perByte   = 100
)

// refuse opens a checkpoint and demands one line that names the path and the
// reason, and little memory.
func refuse(t *testing.T, path string, size int, want ...string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := Open(path)
	runtime.ReadMemStats(&after)
	if err == nil {
		c.Close()
		t.Fatalf("opened %s", path)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > allowance+perByte*uint64(size) {
		t.Errorf("allocated %d bytes for a checkpoint of %d", n, size)
	}
	for _, part := range append(want, filepath.Base(path)) {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\r\x00") || len(err.Error()) > 1000 {
		t.Errorf("error is not one short line: %q", err)
	}
}

func (b bad) run(t *testing.T) {
	dir := t.TempDir()
	size := 0
	if _, ok := b.files["config.json"]; !ok {
		write(t, filepath.Join(dir, "config.json"), []byte("{}"))
	}
	for name, data := range b.files {
		if data != nil {
			write(t, filepath.Join(dir, name), data)
		}
		size += len(data)
	}
	refuse(t, dir, size, b.want...)
}

// header is a safetensors file of the given JSON and n bytes of values.
func header(n int, format string, args ...any) []byte {
	json := fmt.Sprintf(format, args...)
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(json)))
	return append(append(b, json...), make([]byte, n)...)
}

const indexName = "model.safetensors.index.json"

func TestBadSafetensors(t *testing.T) {
	good := header(8, `{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`)
	huge := append(binary.LittleEndian.AppendUint64(nil, 8<<30), good[8:]...)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", []byte{}, "0 bytes"},
		{"cut off in the header", good[:20], "cut off"},
		{"cut off in the values", good[:len(good)-1], "w: bytes 0 to 8"},
		{"lying header length", huge, "8589934592"},
		{"unknown type", header(8, `{"w":{"dtype":"F9","shape":[2],"data_offsets":[0,8]}}`), "w: unknown element type F9"},
		{"type we do not read", header(2, `{"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}`), "w: element type F8_E4M3 is not supported"},
		{"offset out of range", header(8, `{"w":{"dtype":"F32","shape":[2],"data_offsets":[8589934592,8589934600]}}`), "w: bytes 8589934592"},
		{"overlap", header(8, `{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`), "w: begins at byte 4, inside"},
		{"many axes", header(4, `{"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}`), "at most 8"},
		{"hostile name", header(4, `{"a\nb":{"dtype":"F9","shape":[1],"data_offsets":[0,4]}}`), `"a\nb": unknown`},
		{"lfs pointer", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"), "git lfs pull"},
	} {
		t.Run(c.name, bad{files: map[string][]byte{"model.safetensors": c.data}, want: []string{"model.safetensors: ", c.want}}.run)
	}
}

// manyNames is so many fields of a JSON object.
func manyNames(n int, value string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d":%s`, i, value)
	}
	return b.String()[1:]
}

func TestBadIndex(t *testing.T) {
	shard := header(4, `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`)
	index := func(format string, args ...any) []byte { return []byte(fmt.Sprintf(format, args...)) }
	one := func(name string) []byte { return index(`{"weight_map":{"w":%q}}`, name) }
	for _, c := range []struct {
		name, want string
		index      []byte
	}{
		{"missing shard", "names shard b.safetensors, which is missing", one("b.safetensors")},
		{"path up", "not the name of a file", one("../a.safetensors")},
		{"path down", "not the name of a file", one("x/a.safetensors")},
		{"absolute path", "not the name of a file", one("/a.safetensors")},
		{"windows path", "not the name of a file", one(`..\a.safetensors`)},
		{"dots", "not the name of a file", one("..")},
		{"empty name", "not the name of a file", one("")},
		{"other kind", "want a file ending in .safetensors", one("a.bin")},
		{"tensor missing in shard", "v: not in a.safetensors", index(`{"weight_map":{"w":"a.safetensors","v":"a.safetensors"}}`)},
		{"named twice", "named twice", index(`{"weight_map":{"w":"a.safetensors","w":"a.safetensors"}}`)},
		{"too many names", "more than 262144 names", index(`{"weight_map":{%s}}`, manyNames(maxObjects+1, `"w.safetensors"`))},
		{"no map", "no weight_map", index(`{}`)},
		{"map of another kind", "want a JSON object", index(`{"weight_map":[]}`)},
		{"number for a shard", "not an index", index(`{"weight_map":{"w":1}}`)},
		{"not JSON", "not an index", index("\x00\n\xff")},
		{"cut off", "not an index", one("a.safetensors")[:20]},
		{"in two shards", "v: also in", index(`{"weight_map":{"w":"a.safetensors","x":"c.safetensors"}}`)},
	} {
		files := map[string][]byte{indexName: c.index, "a.safetensors": shard}
		if c.name == "in two shards" {
			files["a.safetensors"] = header(8, `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"v":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`)
			files["c.safetensors"] = header(8, `{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"v":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`)
		}
		t.Run(c.name, bad{files: files, want: []string{c.want}}.run)
	}
}

// TestShardDirectory has a folder where a shard should be.
func TestShardDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.json"), []byte("{}"))
	write(t, filepath.Join(dir, indexName), []byte(`{"weight_map":{"w":"a.safetensors"}}`))
	if err := os.Mkdir(filepath.Join(dir, "a.safetensors"), 0o755); err != nil {
		t.Fatal(err)
	}
	refuse(t, dir, 100, "a.safetensors: not a regular file")
}

func TestBadFolders(t *testing.T) {
	shard := header(4, `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`)
	bad{files: map[string][]byte{"readme.txt": []byte("x")}, want: []string{"no weights", "model.safetensors", "pytorch_model.bin.index.json"}}.run(t)
	bad{files: map[string][]byte{"config.json": nil, "model.safetensors": shard}, want: []string{"no config.json"}}.run(t)
	bad{files: map[string][]byte{"pytorch_model.bin": []byte("hello")}, want: []string{"not a checkpoint"}}.run(t)
	bad{files: map[string][]byte{"pytorch_model.bin": {}}, want: []string{"not a checkpoint"}}.run(t)
	dir := t.TempDir()
	refuse(t, filepath.Join(dir, "nothing"), 0, "no such file")
	write(t, filepath.Join(dir, "notes.txt"), []byte("x"))
	refuse(t, filepath.Join(dir, "notes.txt"), 1, "not a checkpoint")
}

// goodPickle is the pickle of one tensor of two elements.
func goodPickle() []byte {
	return dictOps(text("w"), tensorOps(storageOps("0", 2), 0, []int{2}, []int{1}))
}

// packed is an archive with one entry in a form that torch never writes.
func packed(t *testing.T, pickle []byte, change func(*zip.FileHeader)) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "a/data.pkl", Method: zip.Store})
	if err == nil {
		_, err = w.Write(pickle)
	}
	if err != nil {
		t.Fatal(err)
	}
	h := &zip.FileHeader{Name: "a/data/0", Method: zip.Store, CompressedSize64: 8, UncompressedSize64: 8}
	change(h)
	if w, err = z.CreateRaw(h); err == nil {
		_, err = w.Write(floats(2))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is 64 MB of zeros, compressed to 64 kB.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("a/data.pkl")
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBadTorchZip(t *testing.T) {
	pickle := goodPickle()
	data := entry{"a/data/0", floats(2)}
	good := zipOf(t, entry{"a/data.pkl", pickle}, data)
	if _, err := fromBytes("a.bin", good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"cut off", good[:len(good)-30], "damaged or cut off"},
		{"no pickle", zipOf(t, data), "without data.pkl"},
		{"two pickles", zipOf(t, entry{"a/data.pkl", pickle}, entry{"b/data.pkl", pickle}), "more than one"},
		{"named twice", zipOf(t, entry{"a/data.pkl", pickle}, data, data), "named twice"},
		{"storage missing", zipOf(t, entry{"a/data.pkl", pickle}), "w: no entry data/0"},
		{"storage too short", zipOf(t, entry{"a/data.pkl", pickle}, entry{"a/data/0", floats(1)}), "w: entry data/0: 4 bytes, want 2 elements"},
		{"big-endian", zipOf(t, entry{"a/data.pkl", pickle}, data, entry{"a/byteorder", []byte("big")}), "byte order big"},
		{"bomb", bomb(t), "compressed"},
		{"compressed", packed(t, pickle, func(h *zip.FileHeader) { h.Method = zip.Deflate }), "w: entry data/0: compressed"},
		{"encrypted", packed(t, pickle, func(h *zip.FileHeader) { h.Flags |= 1 }), "encrypted"},
		{"lying size", packed(t, pickle, func(h *zip.FileHeader) { h.UncompressedSize64 = 8 << 30 }), "8 bytes said to be 8589934592"},
		{"lying sizes", packed(t, pickle, func(h *zip.FileHeader) { h.UncompressedSize64, h.CompressedSize64 = 8<<30, 8<<30 }), "in a file of"},
	} {
		t.Run(c.name, bad{files: map[string][]byte{"pytorch_model.bin": c.data}, want: []string{"pytorch_model.bin: ", c.want}}.run)
	}
}

// TestEntryReachesIntoNext has an entry whose length runs into its neighbour.
func TestEntryReachesIntoNext(t *testing.T) {
	data := zipOf(t, entry{"a/data.pkl", goodPickle()}, entry{"a/data/0", floats(2)}, entry{"a/version", []byte("3\n")})
	central := bytes.LastIndex(data, []byte("a/data/0")) - 46
	binary.LittleEndian.PutUint32(data[central+20:], 40)
	binary.LittleEndian.PutUint32(data[central+24:], 40)
	_, err := fromBytes("a.bin", data)
	if err == nil || !strings.Contains(err.Error(), "reach into entry a/version") {
		t.Errorf("error %v", err)
	}
}
