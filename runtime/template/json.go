package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// ParseJSON reads a text of JSON; mappings keep their order.
func ParseJSON(text []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decodeJSON(d, 0)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Value{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Value{}, errors.New("text after the end of the JSON value")
	}
	return v, nil
}

func decodeJSON(d *json.Decoder, depth int) (Value, error) {
	token, err := d.Token()
	if err != nil {
		return Value{}, err
	}
	switch token := token.(type) {
	case nil:
		return None(), nil
	case bool:
		return Bool(token), nil
	case string:
		return String(token), nil
	case json.Number:
		return jsonNumber(token)
	case json.Delim:
		if depth >= limitNesting {
			return Value{}, fmt.Errorf("JSON is nested more than %d deep", limitNesting)
		}
		if token == '{' {
			return jsonObject(d, depth)
		}
		return jsonList(d, depth)
	}
	panic("BUG: a token of JSON of another type")
}

func jsonNumber(n json.Number) (Value, error) {
	if whole, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return Int(whole), nil
	}
	f, err := n.Float64()
	if err != nil {
		return Value{}, fmt.Errorf("number %.40s of JSON is out of range", n)
	}
	return Float(f), nil
}

func jsonList(d *json.Decoder, depth int) (Value, error) {
	items := []Value{}
	for d.More() {
		v, err := decodeJSON(d, depth+1)
		if err != nil {
			return Value{}, err
		}
		items = append(items, v)
	}
	_, err := d.Token()
	return List(items...), err
}

func jsonObject(d *json.Decoder, depth int) (Value, error) {
	m := &mapping{values: map[string]Value{}}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return Value{}, err
		}
		v, err := decodeJSON(d, depth+1)
		if err != nil {
			return Value{}, err
		}
		m.set(key.(string), v)
	}
	_, err := d.Token()
	return Value{m}, err
}

// JSON is the filter tojson as Hugging Face has it: no character is escaped that
// JSON does not ask for, unless escape says so. indent is none or a number of
// spaces, separators none or a pair.
func (r *Run) JSON(v, escape, indent, separators, sorted Value) Value {
	if r.ended() {
		return Value{}
	}
	w := jsonWriter{run: r, escape: escape.True(), sorted: sorted.True(), comma: ", ", colon: ": "}
	if _, ok := indent.v.(none); !ok {
		n, ok := indent.whole()
		if !ok || n > 64 {
			return r.fail("tojson: indent must be a number up to 64")
		}
		w.indented, w.indent, w.comma = true, strings.Repeat(" ", int(max(n, 0))), ","
	}
	if l, ok := separators.v.(*list); ok && len(l.items) == 2 {
		w.comma, w.colon = r.text(l.items[0]), r.text(l.items[1])
	} else if _, ok := separators.v.(none); !ok {
		return r.fail("tojson: separators must be a pair of texts")
	}
	w.value(v, 0)
	return r.madeText(w.b.String())
}

type jsonWriter struct {
	run                      *Run
	b                        strings.Builder
	escape, sorted, indented bool
	indent, comma, colon     string
}

func (w *jsonWriter) value(v Value, depth int) {
	if depth > limitNesting || w.b.Len() > limitText {
		w.run.fail("a value is too deep or too large for tojson")
		return
	}
	switch x := v.v.(type) {
	case none:
		w.b.WriteString("null")
	case bool:
		w.b.WriteString(strconv.FormatBool(x))
	case int64:
		w.b.WriteString(strconv.FormatInt(x, 10))
	case float64:
		w.b.WriteString(jsonFloat(x))
	case string:
		w.text(x)
	case *list:
		w.between('[', ']', len(x.items), depth, func(i int) { w.value(x.items[i], depth+1) })
	case *mapping:
		keys := x.keys
		if w.sorted {
			keys = slices.Sorted(slices.Values(keys))
		}
		w.between('{', '}', len(keys), depth, func(i int) {
			w.text(keys[i])
			w.b.WriteString(w.colon)
			w.value(x.values[keys[i]], depth+1)
		})
	default:
		w.run.fail("tojson: JSON has no %s", strings.TrimPrefix(strings.TrimPrefix(v.kind(), "a "), "an "))
	}
}

// between writes the n items of a list or mapping.
func (w *jsonWriter) between(begin, end byte, n, depth int, item func(i int)) {
	w.b.WriteByte(begin)
	for i := range n {
		if i > 0 {
			w.b.WriteString(w.comma)
		}
		w.line(depth + 1)
		item(i)
	}
	if n > 0 {
		w.line(depth)
	}
	w.b.WriteByte(end)
}

func (w *jsonWriter) line(depth int) {
	if w.indented {
		w.b.WriteByte('\n')
		w.b.WriteString(strings.Repeat(w.indent, depth))
	}
}

func (w *jsonWriter) text(s string) {
	w.b.WriteByte('"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(c)
		case '\n':
			w.b.WriteString(`\n`)
		case '\r':
			w.b.WriteString(`\r`)
		case '\t':
			w.b.WriteString(`\t`)
		case '\b':
			w.b.WriteString(`\b`)
		case '\f':
			w.b.WriteString(`\f`)
		default:
			w.character(c)
		}
	}
	w.b.WriteByte('"')
}

func (w *jsonWriter) character(c rune) {
	switch {
	case c >= ' ' && (c < 0x7f || !w.escape):
		w.b.WriteRune(c)
	case c == 0x7f:
		w.b.WriteByte(0x7f)
	case c < 0x10000:
		fmt.Fprintf(&w.b, `\u%04x`, c)
	default:
		high, low := utf16.EncodeRune(c)
		fmt.Fprintf(&w.b, `\u%04x\u%04x`, high, low)
	}
}

// jsonFloat prints a number as Python's json does.
func jsonFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	return formatFloat(f)
}
