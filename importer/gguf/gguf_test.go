package gguf_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer/gguf"
	"github.com/mambac/mambac/importer/gguf/gguftest"
)

// write makes a file whose tensors hold the values, by name.
func write(t *testing.T, pairs []gguf.Pair, tensors []gguf.Tensor, values map[string][]float32) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gguf.NewWriter(&b, pairs, tensors)
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for _, x := range tensors {
		raw = x.Type.Append(raw, values[x.Name])
	}
	for len(raw) > 0 { // blocks that end anywhere
		n := min(7, len(raw))
		if _, err := w.Write(raw[:n]); err != nil {
			t.Fatal(err)
		}
		raw = raw[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if size, err := gguf.Size(pairs, tensors); err != nil || size != int64(b.Len()) {
		t.Errorf("size %d (%v), the file has %d", size, err, b.Len())
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	pairs := []gguf.Pair{
		{"a.number", uint32(7)}, {"a.negative", int32(-7)}, {"a.float", float32(0.1)}, {"a.flag", true}, {"no", false},
		{"a.text", "Ġ\x00b"}, {"list", []string{"x", "", "yz"}}, {"ids", []int32{1, -2}},
	}
	tensors := []gguf.Tensor{
		{"a", gguf.F32, []int{2, 3}}, {"b", gguf.F16, []int{5}}, {"c", gguf.BF16, []int{1, 3}}, {"d", gguf.Q8_0, []int{2, 32}},
	}
	values := map[string][]float32{"a": {1, 2, 3, 4, 5, 1e-42}, "b": {1, -2, 0.5, 0, 65504}, "c": {1, -1, 3e38}, "d": make([]float32, 64)}
	for i := range values["d"] {
		values["d"][i] = float32(i%32*4) - 63
	}
	values["d"][1] = 127 // the step is 1
	values["d"][33] = -127
	f, err := gguftest.Read(write(t, pairs, tensors, values))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range pairs {
		if f.Keys[i] != p.Key || !reflect.DeepEqual(f.Values[p.Key], p.Value) {
			t.Errorf("%s is %v, want %v", p.Key, f.Values[p.Key], p.Value)
		}
	}
	if !reflect.DeepEqual(f.Tensors, tensors) {
		t.Errorf("tensors are %v, want %v", f.Tensors, tensors)
	}
	for name, want := range values {
		got, err := f.Floats(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "c" { // 3e38 is no bfloat16
			got, want = got[:2], want[:2]
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s holds %v, want %v", name, got, want)
		}
	}
}

// TestLayout holds the first bytes against the format's description.
func TestLayout(t *testing.T) {
	data := write(t, []gguf.Pair{{"k", uint32(5)}}, []gguf.Tensor{{"w", gguf.F32, []int{2, 1}}}, map[string][]float32{"w": {1, 2}})
	want := "GGUF\x03\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" +
		"\x01\x00\x00\x00\x00\x00\x00\x00k\x04\x00\x00\x00\x05\x00\x00\x00" +
		"\x01\x00\x00\x00\x00\x00\x00\x00w\x02\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00"
	want += strings.Repeat("\x00", 96-len(want)) + "\x00\x00\x80\x3f\x00\x00\x00\x40" + strings.Repeat("\x00", 24)
	if string(data) != want {
		t.Errorf("the file is\n%q\nwant\n%q", data, want)
	}
}

// TestQ8 encodes blocks whose bytes are known: zeros, halves that are rounded
// away from zero, a step that float16 rounds.
func TestQ8(t *testing.T) {
	block := func(first ...float32) []float32 { return append(first, make([]float32, 32-len(first))...) }
	for _, c := range []struct {
		values []float32
		want   string
	}{
		{block(), "\x00\x00\x00\x00\x00"},
		{block(127, 0.5, -0.5), "\x00\x3c\x7f\x01\xff"},
		{block(-254, 3, -5), "\x00\x40\x81\x02\xfd"},
		{block(1, 0.25), "\x08\x20\x7f\x20\x00"},
		{block(0x1p-140, -0x1p-149), "\x00\x00\x00\x00\x00"}, // no step has an inverse
	} {
		got := gguf.Q8_0.Append(nil, c.values)
		if len(got) != 34 || string(got[:5]) != c.want {
			t.Errorf("%v becomes %q, want %q", c.values[:3], got[:5], c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		pairs   []gguf.Pair
		tensors []gguf.Tensor
		want    string
	}{
		{[]gguf.Pair{{"k", 5}}, nil, "k: a value of a type that is not written here"},
		{nil, []gguf.Tensor{{"w", gguf.Q8_0, []int{64, 31}}}, "w: Q8_0 in rows of [64 31], want a multiple of 32"},
		{nil, []gguf.Tensor{{"w", gguf.F32, nil}}, "w: F32 in rows of [], want a multiple of 1"},
		{nil, []gguf.Tensor{{"w", gguf.F32, []int{0, 1}}}, "w: shape [0 1] cannot be stored"},
		{nil, []gguf.Tensor{{"w", gguf.F32, []int{math.MaxInt, math.MaxInt}}}, "cannot be stored"},
		{nil, []gguf.Tensor{{strings.Repeat("w", 64), gguf.F32, []int{1}}}, "a name of 64 bytes, want at most 63"},
		{nil, []gguf.Tensor{{"w", gguf.F32, []int{1}}, {"w", gguf.F32, []int{1}}}, "w: a name that is taken"},
	} {
		_, err := gguf.NewWriter(&bytes.Buffer{}, c.pairs, c.tensors)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("have %v, want %s", err, c.want)
		}
		if _, size := gguf.Size(c.pairs, c.tensors); size == nil || size.Error() != err.Error() {
			t.Errorf("Size says %v, NewWriter %v", size, err)
		}
	}
}

// TestWrongLength: too few bytes of values, and too many.
func TestWrongLength(t *testing.T) {
	w, err := gguf.NewWriter(&bytes.Buffer{}, nil, []gguf.Tensor{{"w", gguf.F32, []int{2}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil {
		t.Error("a file without its values is closed")
	}
	if _, err := w.Write(make([]byte, 9)); err == nil || !strings.Contains(err.Error(), "1 bytes behind the last tensor") {
		t.Errorf("one byte too many: %v", err)
	}
}
