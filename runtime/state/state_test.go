package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

func example() *Header {
	return &Header{
		Model: "abc", Weights: "bf16", Math: "exact", Position: 7, Text: "00ff", Label: "a \"label\"",
		Tensors: []Tensor{
			{"conv", []int{2, 3}, []float32{1, 2, 3, 4, 5, float32(math.Inf(-1))}},
			{"empty", []int{0, 3}, nil},
			{"big", []int{2 * blockFloats, 1}, make([]float32, 2*blockFloats)},
		},
	}
}

func written(t testing.TB, h *Header) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, h); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wanted is room for what a header tells of.
func wanted(h *Header) []Tensor {
	var list []Tensor
	for _, t := range h.Tensors {
		list = append(list, Tensor{t.Name, t.Shape, make([]float32, len(t.Values))})
	}
	return list
}

func readBack(data []byte, want []Tensor) (*Header, error) {
	r, err := NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return &r.Header, r.ReadValues(want)
}

func TestRoundTrip(t *testing.T) {
	h := example()
	h.Tensors[2].Values[blockFloats] = 42
	data := written(t, h)
	got := wanted(h)
	header, err := readBack(data, got)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if !reflect.DeepEqual(got[i].Values, append([]float32{}, h.Tensors[i].Values...)) {
			t.Errorf("%s: other values", got[i].Name)
		}
	}
	if header.Position != 7 || header.Label != h.Label || header.Text != "00ff" {
		t.Errorf("header %+v", header)
	}
	if !bytes.Equal(data, written(t, h)) {
		t.Error("two files of one state differ")
	}
}

// TestDamage: every cut and every flipped byte is an error.
func TestDamage(t *testing.T) {
	h := example()
	h.Tensors = h.Tensors[:2]
	data := written(t, h)
	for n := range data {
		if _, err := readBack(data[:n], wanted(h)); err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Fatalf("cut off after %d of %d bytes: error %v", n, len(data), err)
		}
		flipped := bytes.Clone(data)
		flipped[n] ^= 1
		if _, err := readBack(flipped, wanted(h)); err == nil {
			t.Fatalf("byte %d of %d is another one: no error", n, len(data))
		}
	}
}

func TestRefuses(t *testing.T) {
	h := example()
	data := written(t, h)
	change := func(at int, v uint32) []byte {
		b := bytes.Clone(data)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	negative, far := example(), example()
	negative.Position, far.Position = -1, math.MaxInt
	for part, file := range map[string][]byte{
		"no state file": append([]byte("GGUF"), data...),
		"version 2":     change(8, 2),
		"want at most":  change(12, math.MaxUint32),
		"cut off":       change(12, maxHeader),
		"-1":            written(t, negative),
		"want 0 to":     written(t, far),
	} {
		if _, err := readBack(file, wanted(h)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want one with %q", err, part)
		}
	}
	fewer, renamed, reshaped := wanted(h)[:2], wanted(h), wanted(h)
	renamed[0].Name, reshaped[0].Shape = "ssm", []int{3, 2}
	for part, want := range map[string][]Tensor{"3 tensors, want 2": fewer, `"ssm"`: renamed, "[3 2]": reshaped} {
		if _, err := readBack(data, want); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want one with %q", err, part)
		}
	}
	h.Label = strings.Repeat("x", maxHeader)
	if err := Write(new(bytes.Buffer), h); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a header of a megabyte: error %v", err)
	}
}

// broken is a file that cannot be read to its end.
type broken struct{ data []byte }

var errBroken = errors.New("input/output error")

func (b *broken) Read(p []byte) (int, error) {
	n := copy(p, b.data)
	if b.data = b.data[n:]; n == 0 {
		return 0, errBroken
	}
	return n, nil
}

func TestReadErrorsPass(t *testing.T) {
	h := example()
	data := written(t, h)
	for _, n := range []int{0, 20, len(data) - 40, len(data) - 1} {
		r, err := NewReader(&broken{data[:n]})
		if err == nil {
			err = r.ReadValues(wanted(h))
		}
		if !errors.Is(err, errBroken) {
			t.Errorf("after %d bytes: error %v", n, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	h := example()
	h.Tensors = h.Tensors[:2]
	data := written(f, h)
	f.Add(data)
	f.Add(data[:30])
	f.Fuzz(func(t *testing.T, data []byte) {
		want := wanted(h)
		header, err := readBack(data, want)
		if err != nil {
			return
		}
		for i := range header.Tensors {
			header.Tensors[i].Values = want[i].Values
		}
		if _, err := readBack(written(t, header), wanted(h)); err != nil {
			t.Errorf("what was read cannot be written and read again: %v", err)
		}
	})
}
