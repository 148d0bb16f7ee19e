package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// sealed is a file of a header's text and values, whatever they say, with a
// checksum that is right.
func sealed(header string, values []byte) []byte {
	file := binary.LittleEndian.AppendUint32([]byte(magic), version)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(header)))
	file = append(append(file, header...), values...)
	sum := sha256.Sum256(file)
	return append(file, sum[:]...)
}

// TestOldFile: what was written before headers told of a source is read on.
func TestOldFile(t *testing.T) {
	file := sealed(`{"model":"abc","weights":"bf16","math":"exact","position":7,"text":"00ff","label":"l","tensors":[{"name":"x","shape":[1,2]}]}`, make([]byte, 8))
	want := []Tensor{{Name: "x", Shape: []int{1, 2}}}
	h, err := readBack(file, want)
	if err != nil {
		t.Fatal(err)
	}
	if h.Label != "l" || h.Position != 7 || h.Source != "" || h.Parent != "" || h.Seen != nil || !h.Created.IsZero() {
		t.Errorf("header %+v", h)
	}
	h.Tensors = want
	if again := written(t, h); !bytes.Equal(again, file) {
		t.Errorf("written again it is %q, was %q", again, file)
	}
}

func TestRewrite(t *testing.T) {
	h := example()
	file := written(t, h)
	var out bytes.Buffer
	err := Rewrite(&out, bytes.NewReader(file), func(h *Header) {
		h.Label, h.Source, h.Parent, h.Tensors = "other", "a book", "parent", nil
		h.Created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := wanted(h)
	got, err := readBack(out.Bytes(), want)
	if err != nil {
		t.Fatal(err)
	}
	if got.Label != "other" || got.Source != "a book" || got.Parent != "parent" || got.Created.Year() != 2026 || got.Position != h.Position {
		t.Errorf("header %+v", got)
	}
	if !slices.Equal(want[0].Values, h.Tensors[0].Values) {
		t.Errorf("values %v", want[0].Values)
	}
	out.Reset()
	if err := Rewrite(&out, bytes.NewReader(file), func(*Header) {}); err != nil || !bytes.Equal(out.Bytes(), file) {
		t.Errorf("nothing is changed and the file is another one, error %v", err)
	}
}

// TestRewriteRefuses: a damaged file is not made a whole one by a new checksum.
func TestRewriteRefuses(t *testing.T) {
	h := example()
	h.Tensors = h.Tensors[:2]
	file := written(t, h)
	for n := range file {
		flipped := bytes.Clone(file)
		flipped[n] ^= 4
		for what, bad := range map[string][]byte{"flipped": flipped, "cut off": file[:n]} {
			if err := Rewrite(new(bytes.Buffer), bytes.NewReader(bad), func(*Header) {}); err == nil {
				t.Fatalf("%s at byte %d of %d: no error", what, n, len(file))
			}
		}
	}
	for room := range written(t, h) {
		w := &full{room}
		if err := Rewrite(w, bytes.NewReader(file), func(*Header) {}); !errors.Is(err, errFull) {
			t.Fatalf("room for %d bytes: error %v", room, err)
		}
	}
}

// full is a disk with room for some bytes.
type full struct{ room int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// verified reads all of a file without knowing what should be in it.
func verified(file []byte) error {
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		return err
	}
	if err := r.Verify(); err != nil {
		return err
	}
	return r.End()
}

func TestVerify(t *testing.T) {
	file := written(t, example())
	if err := verified(file); err != nil {
		t.Error(err)
	}
	if err := verified(append(file, 0)); err == nil || !strings.Contains(err.Error(), "behind its end") {
		t.Errorf("a byte more: error %v", err)
	}
	file[len(file)-40] ^= 1
	if err := verified(file); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("another byte: error %v", err)
	}
}

// TestForgedShapes: whatever shapes a file claims, it costs no more than it holds.
func TestForgedShapes(t *testing.T) {
	for shape, part := range map[string]string{
		`[-1]`: "is none", `[2,-1]`: "is none", `[4611686018427387904,4]`: "too large", `[2147483647,2147483647,2147483647]`: "too large",
		`[1000000000000]`: "cut off", `[9223372036854775807]`: "too large", `[3]`: "cut off",
	} {
		file := sealed(`{"position":1,"tensors":[{"name":"x","shape":`+shape+`}]}`, make([]byte, 8))
		if err := verified(file); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("shape %s: error %v, want one with %q", shape, err, part)
		}
	}
	large := []Tensor{{Name: "x", Shape: []int{math.MaxInt}}}
	file := sealed(`{"position":1,"tensors":[{"name":"x","shape":[9223372036854775807]}]}`, nil)
	if _, err := readBack(file, large); err == nil {
		t.Error("a tensor of all numbers there are is read")
	}
}

// FuzzSealed is FuzzRead behind a checksum that is right.
func FuzzSealed(f *testing.F) {
	f.Add(`{"position":1,"tensors":[{"name":"x","shape":[1]}]}`, []byte{0, 0, 192, 127})
	f.Add(`{"position":9007199254740993,"tensors":[{"name":"x","shape":[-1,4611686018427387904]}]}`, []byte{})
	f.Add(`{"created":"2026-01-02T03:04:05+23:59","seen":"AAE=","tensors":null}`, []byte("x"))
	f.Fuzz(func(t *testing.T, header string, values []byte) {
		file := sealed(header, values)
		var out bytes.Buffer
		err := Rewrite(&out, bytes.NewReader(file), func(*Header) {})
		if err != nil {
			return
		}
		if err := verified(out.Bytes()); err != nil {
			t.Errorf("a file that was written again is refused: %v", err)
		}
	})
}
