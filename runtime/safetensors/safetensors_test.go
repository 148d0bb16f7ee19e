package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func open(data []byte) (*File, error) { return Open(bytes.NewReader(data), int64(len(data))) }

// file is a header as text and n zero bytes behind it.
func file(n int, json string) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(json)))
	return append(append(b, json...), make([]byte, n)...)
}

func TestRoundtrip(t *testing.T) {
	metadata := map[string]string{"format": "pt", "a\nb": "<&>"}
	var b bytes.Buffer
	err := WriteAll(&b, metadata,
		Values{"floats", []int{2, 2}, []float32{1, float32(math.Inf(-1)), 3e-45, -0.5}},
		Values{"long", []int{3}, []int64{-1, 1 << 40, 0}},
		Values{"empty", []int{0, 7}, []float32{}},
		Values{"scalar \"<\n", []int{}, []int32{-7}},
	)
	if err != nil {
		t.Fatal(err)
	}
	f, err := open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(f.Metadata, metadata) {
		t.Errorf("metadata %v", f.Metadata)
	}
	tensor := func(name string) Tensor {
		x, ok := f.Tensor(name)
		if !ok {
			t.Errorf("%q is missing", name)
		}
		return x
	}
	if v, err := f.Floats(tensor("floats")); err != nil || !slices.Equal(v, []float32{1, float32(math.Inf(-1)), 3e-45, -0.5}) {
		t.Errorf("floats: %v %v", v, err)
	}
	if v, err := f.Ints(tensor("long")); err != nil || !slices.Equal(v, []int64{-1, 1 << 40, 0}) {
		t.Errorf("long: %v %v", v, err)
	}
	if v, err := f.Ints(tensor("scalar \"<\n")); err != nil || !slices.Equal(v, []int64{-7}) {
		t.Errorf("scalar: %v %v", v, err)
	}
	if v, err := f.Floats(tensor("empty")); err != nil || len(v) != 0 {
		t.Errorf("empty: %v %v", v, err)
	}
	if _, err := f.Ints(tensor("floats")); err == nil || err.Error() != "floats: have F32, want [I32 I64]" {
		t.Errorf("wrong type: %v", err)
	}
	raw, err := io.ReadAll(f.Section(tensor("long")))
	if err != nil || len(raw) != 24 {
		t.Errorf("section of %d bytes, %v", len(raw), err)
	}
	if _, ok := f.Tensor("none"); ok {
		t.Error("found a tensor that is not there")
	}
}

// TestSameBytes writes twice, and checks the alignment of the values.
func TestSameBytes(t *testing.T) {
	metadata := map[string]string{}
	for i := range 20 {
		metadata[fmt.Sprint("key", i)] = "v"
	}
	write := func() []byte {
		var b bytes.Buffer
		if err := WriteAll(&b, metadata, Values{"x", []int{1}, []float32{1}}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	a := write()
	if !bytes.Equal(a, write()) {
		t.Error("two files differ")
	}
	if n := len(a) - 4; n%8 != 0 {
		t.Errorf("values begin at byte %d", n)
	}
}

func TestWriterChecks(t *testing.T) {
	x := Tensor{Name: "x", DType: "F32", Shape: []int{2}}
	for _, c := range []struct {
		tensors []Tensor
		want    string
	}{
		{[]Tensor{x, x}, "x: a name that is taken"},
		{[]Tensor{{Name: "__metadata__", DType: "F32"}}, "a name that is taken"},
		{[]Tensor{{Name: "x", DType: "F9"}}, "x: unknown element type F9"},
		{[]Tensor{{Name: "x", DType: "F32", Shape: []int{-1}}}, "negative"},
		{[]Tensor{{Name: "x", DType: "F64", Shape: []int{1 << 40, 1 << 40}}}, "overflows"},
		{[]Tensor{{Name: "x", DType: "U8", Shape: []int{math.MaxInt}}, {Name: "y", DType: "U8", Shape: []int{1}}}, "more values than a file"},
	} {
		if _, err := NewWriter(io.Discard, c.tensors, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	w, err := NewWriter(io.Discard, []Tensor{x}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 5)); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err == nil || err.Error() != "5 bytes of values, want 8" {
		t.Errorf("too little: %v", err)
	}
	if _, err := w.Write(make([]byte, 4)); err == nil {
		t.Error("wrote too much")
	}
	if err := WriteAll(io.Discard, nil, Values{"x", []int{3}, []float32{1}}); err == nil {
		t.Error("wrote one value as a tensor of three")
	}
	if err := WriteAll(io.Discard, nil, Values{"x", []int{1}, []float64{1}}); err == nil {
		t.Error("wrote a float64 without a type")
	}
}

// failing is a writer that is full after n bytes.
type failing struct{ n int }

var errFull = errors.New("disk full")

func (f *failing) Write(p []byte) (int, error) {
	if len(p) > f.n {
		return 0, errFull
	}
	f.n -= len(p)
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	for _, n := range []int{0, 100} {
		err := WriteAll(&failing{n}, nil, Values{"x", []int{20}, make([]float32, 20)})
		if !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// TestManyNames: a header of nothing but names ends before they fill the
// memory.
func TestManyNames(t *testing.T) {
	var b strings.Builder
	for i := range maxNames + 1 {
		fmt.Fprintf(&b, `,"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, i)
	}
	if _, err := open(file(0, "{"+b.String()[1:]+"}")); err == nil || !strings.Contains(err.Error(), "more than 65536 names") {
		t.Errorf("error %v", err)
	}
}

func TestRefused(t *testing.T) {
	one := func(fields string) []byte { return file(8, `{"w":{`+fields+`}}`) }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes, want at least 8"},
		{"no header", make([]byte, 8), "not a JSON object"},
		{"length that lies", append(binary.LittleEndian.AppendUint64(nil, 8<<30), "{}"...), "8589934592 bytes in a file of 10"},
		{"length beyond int64", append(binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "{}"...), "18446744073709551615 bytes"},
		{"not JSON", file(0, `{"w"`), "header: "},
		{"not an object", file(0, `[1]`), "not a JSON object"},
		{"not text", file(0, "{\xff}"), "not a JSON object"},
		{"two objects", file(0, `{}{}`), "text behind"},
		{"tensor is a number", file(0, `{"w":1}`), "w: want {"},
		{"no type", one(`"shape":[1],"data_offsets":[0,8]`), "w: dtype is missing"},
		{"no shape", one(`"dtype":"F64","data_offsets":[0,8]`), "w: shape is missing"},
		{"no offsets", one(`"dtype":"F64","shape":[1]`), "w: data_offsets: have 0 numbers, want two"},
		{"three offsets", one(`"dtype":"F64","shape":[1],"data_offsets":[0,4,8]`), "data_offsets: have 3 numbers, want two"},
		{"fraction", one(`"dtype":"F64","shape":[1.5],"data_offsets":[0,8]`), "header: w: "},
		{"negative axis", one(`"dtype":"F64","shape":[-1],"data_offsets":[0,8]`), "an axis of -1"},
		{"negative offset", one(`"dtype":"F64","shape":[1],"data_offsets":[-8,0]`), "w: bytes -8 to 0"},
		{"backwards", one(`"dtype":"F64","shape":[1],"data_offsets":[8,0]`), "w: bytes 8 to 0"},
		{"beyond the file", one(`"dtype":"F64","shape":[2],"data_offsets":[0,16]`), "bytes 0 to 16, but the file holds 8"},
		{"wrong length", one(`"dtype":"F32","shape":[3],"data_offsets":[0,8]`), "w: 8 bytes, want 12 for F32 [3]"},
		{"overflow", one(`"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]`), "overflows"},
		{"overflow to the right length", one(`"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]`), "overflows"},
		{"unknown type", one(`"dtype":"Q4\n","shape":[1],"data_offsets":[0,8]`), `unknown element type "Q4\n"`},
		{"field twice", one(`"dtype":"F64","dtype":"F64","shape":[1],"data_offsets":[0,8]`), "dtype: named twice"},
		{"many axes", one(`"dtype":"F64","shape":[` + strings.Repeat("1,", 40) + `1],"data_offsets":[0,8]`), "41 axes"},
		{"name twice", file(8, `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0077":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`), "w: named twice"},
		{"overlap", file(8, `{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`), "w: begins at byte 4, inside"},
		{"hole", file(12, `{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`), "ends at 4"},
		{"more behind", file(9, `{"v":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`), "1 bytes behind"},
		{"metadata of numbers", file(0, `{"__metadata__":{"a":1}}`), "header: "},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := open(c.data)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%s: error %q, want %q", c.name, err, c.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes allocated", c.name, n)
		}
	}
}

// TestOrder has a header whose keys are in another order than the values, and
// more than the format asks for.
func TestOrder(t *testing.T) {
	f, err := open(file(12, `{"b":{"data_offsets":[4,12],"shape":[1],"note":{"a":[1]},"dtype":"I64"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}   `))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range f.Tensors {
		names = append(names, x.Name)
	}
	if !slices.Equal(names, []string{"a", "e", "b"}) {
		t.Errorf("order %v", names)
	}
}

// TestShortReader has a file that is shorter than it said.
func TestShortReader(t *testing.T) {
	data := file(8, `{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`)
	f, err := Open(bytes.NewReader(data[:len(data)-3]), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	f.Tensors[0].DType = "I64"
	if _, err := f.Ints(f.Tensors[0]); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if _, err := Open(bytes.NewReader(data[:20]), int64(len(data))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

// FuzzSafetensors checks what Open promises of any file that it accepts.
func FuzzSafetensors(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := open(data)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("error of more than a line: %q", err)
			}
			return
		}
		var again []Tensor
		end := int64(8 + binary.LittleEndian.Uint64(data))
		for _, x := range set.Tensors {
			size, _ := Size(x.DType)
			if x.Begin != end || x.End-x.Begin != int64(size)*int64(x.Elements()) {
				t.Fatalf("%+v behind byte %d", x, end)
			}
			end = x.End
			again = append(again, x)
		}
		if end != int64(len(data)) {
			t.Fatalf("the tensors end at %d of %d", end, len(data))
		}
		rewrite(t, set, again, data)
	})
}

// rewrite writes an accepted file and reads it back.
func rewrite(t *testing.T, set *File, tensors []Tensor, data []byte) {
	var b bytes.Buffer
	w, err := NewWriter(&b, tensors, set.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tensors {
		if _, err := w.Write(data[x.Begin:x.End]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := open(b.Bytes())
	if err != nil || len(f.Tensors) != len(tensors) {
		t.Fatalf("own file: %v", err)
	}
}
