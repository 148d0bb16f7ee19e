package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Bounds that no format or family comes near. Names and axes take more memory
// than the text that names them, which a hostile header would multiply.
const (
	maxAxes  = 32
	maxNames = 1 << 16
)

// parse reads the header's JSON. Offsets are still relative to the data.
func (f *File) parse(header []byte) error {
	d := json.NewDecoder(bytes.NewReader(header))
	d.UseNumber()
	err := object(d, func(key string) error {
		if key == metadataKey {
			return f.parseMetadata(d)
		}
		t := Tensor{Name: key}
		if err := t.parse(d); err != nil {
			return fmt.Errorf("%s: %w", quote(key), err)
		}
		f.Tensors = append(f.Tensors, t)
		return nil
	})
	if err != nil {
		return fmt.Errorf("header: %w", oneLine(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("header: text behind the JSON object")
	}
	return nil
}

// parseMetadata reads the pairs of strings that a writer has added.
func (f *File) parseMetadata(d *json.Decoder) error {
	f.Metadata = map[string]string{}
	return object(d, func(key string) error {
		var value string
		err := d.Decode(&value)
		f.Metadata[key] = value
		return err
	})
}

// object calls field at every key of a JSON object, with the decoder in front
// of the value. encoding/json would let a repeated key win in silence.
func object(d *json.Decoder, field func(key string) error) error {
	if err := delim(d, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("a key that is no string")
		}
		if seen[key] {
			return fmt.Errorf("%s: named twice", quote(key))
		}
		if len(seen) == maxNames {
			return fmt.Errorf("more than %d names", maxNames)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	return delim(d, '}')
}

func delim(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("want %v in the JSON", want)
	}
	return nil
}

// parse reads {"dtype":…, "shape":[…], "data_offsets":[begin,end]}; unknown
// keys are passed over.
func (t *Tensor) parse(d *json.Decoder) error {
	var shape, offsets integers
	err := object(d, func(key string) error {
		switch key {
		case "dtype":
			return d.Decode(&t.DType)
		case "shape":
			return d.Decode(&shape)
		case "data_offsets":
			return d.Decode(&offsets)
		}
		var ignored json.RawMessage
		return d.Decode(&ignored)
	})
	if err != nil {
		return err
	}
	switch {
	case t.DType == "":
		return errors.New("dtype is missing")
	case shape == nil:
		return errors.New("shape is missing")
	case len(offsets) != 2:
		return fmt.Errorf("data_offsets: have %d numbers, want two", len(offsets))
	}
	t.Begin, t.End = offsets[0], offsets[1]
	return t.setShape(shape)
}

// integers is a short list of them; a long one is refused before it is
// allocated.
type integers []int64

// UnmarshalJSON implements json.Unmarshaler.
func (list *integers) UnmarshalJSON(raw []byte) error {
	if n := bytes.Count(raw, []byte{','}) + 1; n > maxAxes {
		return fmt.Errorf("%d axes, want at most %d", n, maxAxes)
	}
	return json.Unmarshal(raw, (*[]int64)(list))
}

func (t *Tensor) setShape(shape []int64) error {
	t.Shape = make([]int, len(shape))
	for i, n := range shape {
		if n < 0 || n > math.MaxInt {
			return fmt.Errorf("shape %v: an axis of %d", shape, n)
		}
		t.Shape[i] = int(n)
	}
	return nil
}

// bytes is the length that type and shape demand.
func (t Tensor) bytes() (int64, error) {
	size, ok := Size(t.DType)
	if !ok {
		return 0, fmt.Errorf("unknown element type %s", quote(t.DType))
	}
	n := int64(size)
	for _, d := range t.Shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative axis", t.Shape)
		}
		if d > 0 && n > math.MaxInt64/int64(d) {
			return 0, fmt.Errorf("shape %v overflows", t.Shape)
		}
		n *= int64(d)
	}
	if n/int64(size) > math.MaxInt {
		return 0, fmt.Errorf("shape %v is more than this machine can address", t.Shape)
	}
	return n, nil
}

// place makes offsets absolute and checks that the tensors fill the file from
// data to size, without overlap or hole.
func (f *File) place(data, size int64) error {
	slices.SortFunc(f.Tensors, func(a, b Tensor) int {
		if c := compare(a.Begin, b.Begin); c != 0 {
			return c
		}
		if c := compare(a.End, b.End); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	at := int64(0)
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if err := t.check(at, size-data); err != nil {
			return fmt.Errorf("%s: %w", quote(t.Name), err)
		}
		at = t.End
		t.Begin, t.End = t.Begin+data, t.End+data
	}
	if at != size-data {
		return fmt.Errorf("%d bytes behind the last tensor", size-data-at)
	}
	return nil
}

// check holds a tensor against the end of the one before it and the end of the
// data.
func (t Tensor) check(at, end int64) error {
	want, err := t.bytes()
	switch {
	case err != nil:
		return err
	case t.Begin < 0 || t.End < t.Begin || t.End > end:
		return fmt.Errorf("bytes %d to %d, but the file holds %d bytes of tensors; is it cut off?", t.Begin, t.End, end)
	case t.End-t.Begin != want:
		return fmt.Errorf("%d bytes, want %d for %s %v", t.End-t.Begin, want, t.DType, t.Shape)
	case t.Begin < at:
		return fmt.Errorf("begins at byte %d, inside the tensor that ends at %d", t.Begin, at)
	case t.Begin > at:
		return fmt.Errorf("begins at byte %d, but the tensor before it ends at %d", t.Begin, at)
	}
	return nil
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// oneLine shortens what encoding/json quotes of the input.
func oneLine(err error) error {
	s := err.Error()
	if len(s) <= 300 && !strings.ContainsAny(s, "\n\r") {
		return err
	}
	return errors.New(quote(s))
}
