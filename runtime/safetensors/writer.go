package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Writer streams the values of the tensors it was made for, in their order.
type Writer struct {
	w       io.Writer
	written int64
	total   int64
}

// NewWriter writes the header for tensors, whose offsets it computes, and
// metadata, which may be nil. The same arguments give the same bytes.
func NewWriter(w io.Writer, tensors []Tensor, metadata map[string]string) (*Writer, error) {
	header, total, err := encodeHeader(tensors, metadata)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(header); err != nil {
		return nil, err
	}
	return &Writer{w: w, total: total}, nil
}

// Write adds raw little-endian values; blocks need not end where tensors do.
func (w *Writer) Write(p []byte) (int, error) {
	if int64(len(p)) > w.total-w.written {
		return 0, fmt.Errorf("%d bytes of values, want %d", w.written+int64(len(p)), w.total)
	}
	n, err := w.w.Write(p)
	w.written += int64(n)
	return n, err
}

// Close checks that every tensor was written; it does not close the file.
func (w *Writer) Close() error {
	if w.written != w.total {
		return fmt.Errorf("%d bytes of values, want %d", w.written, w.total)
	}
	return nil
}

// entry is the JSON of one tensor.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// encodeHeader returns the bytes before the values and how many bytes of
// values follow.
func encodeHeader(tensors []Tensor, metadata map[string]string) ([]byte, int64, error) {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	b.WriteByte('{')
	if len(metadata) > 0 {
		encodeField(&b, metadataKey, metadata)
	}
	seen := map[string]bool{metadataKey: true}
	total := int64(0)
	for _, t := range tensors {
		n, err := t.bytes()
		switch {
		case err != nil:
			return nil, 0, fmt.Errorf("%s: %w", quote(t.Name), err)
		case seen[t.Name]:
			return nil, 0, fmt.Errorf("%s: a name that is taken", quote(t.Name))
		case n > math.MaxInt64-total:
			return nil, 0, errors.New("more values than a file can hold")
		}
		seen[t.Name] = true
		shape := append([]int{}, t.Shape...)
		encodeField(&b, t.Name, entry{t.DType, shape, [2]int64{total, total + n}})
		total += n
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	header := b.Bytes()
	if len(header)-8 > maxHeader {
		return nil, 0, fmt.Errorf("a header of %d bytes, want at most %d", len(header)-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(header, uint64(len(header)-8))
	return header, total, nil
}

// encodeField appends one key and its value; maps come out sorted.
func encodeField(b *bytes.Buffer, key string, value any) {
	if b.Len() > len("01234567{") {
		b.WriteByte(',')
	}
	for i, v := range []any{key, value} {
		text, err := json.Marshal(v)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		b.Write(text)
		if i == 0 {
			b.WriteByte(':')
		}
	}
}

// Values is a small tensor in memory: Data is []float32, []int32 or []int64.
type Values struct {
	Name  string
	Shape []int
	Data  any
}

// WriteAll writes a whole file of small tensors.
func WriteAll(w io.Writer, metadata map[string]string, all ...Values) error {
	dtypes := map[string]string{"[]float32": "F32", "[]int32": "I32", "[]int64": "I64"}
	var tensors []Tensor
	var raw []byte
	for _, v := range all {
		t := Tensor{Name: v.Name, DType: dtypes[fmt.Sprintf("%T", v.Data)], Shape: slices.Clone(v.Shape)}
		before := len(raw)
		var err error
		if raw, err = binary.Append(raw, binary.LittleEndian, v.Data); err != nil {
			return fmt.Errorf("%s: %w", quote(v.Name), err)
		}
		if want, err := t.bytes(); err != nil || want != int64(len(raw)-before) {
			return fmt.Errorf("%s: %d bytes of %T do not make a tensor of shape %v", quote(v.Name), len(raw)-before, v.Data, v.Shape)
		}
		tensors = append(tensors, t)
	}
	out, err := NewWriter(w, tensors, metadata)
	if err != nil {
		return err
	}
	if _, err := out.Write(raw); err != nil {
		return err
	}
	return out.Close()
}
