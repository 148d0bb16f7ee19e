package template

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// limitNesting bounds lists within lists, which texts of JSON may bring.
const limitNesting = 128

// text is Python's str of a value; a failure, or an end before, gives none.
func (r *Run) text(v Value) string {
	if r.err != nil {
		return ""
	}
	switch x := v.v.(type) {
	case nil, undefined:
		return ""
	case string:
		return x
	}
	var b strings.Builder
	r.represent(&b, v, 0)
	return b.String()
}

// represent is Python's repr.
func (r *Run) represent(b *strings.Builder, v Value, depth int) {
	if depth > limitNesting || b.Len() > limitText {
		r.fail("a value is too deep or too large to print")
		return
	}
	switch x := v.v.(type) {
	case nil, undefined:
		b.WriteString("Undefined")
	case none:
		b.WriteString("None")
	case bool:
		if x {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case int64:
		b.WriteString(strconv.FormatInt(x, 10))
	case float64:
		b.WriteString(formatFloat(x))
	case string:
		b.WriteString(quote(x))
	case *list:
		r.representList(b, x, depth)
	case *mapping:
		r.representMapping(b, x, depth)
	default:
		r.fail("%s cannot be printed", v.kind())
	}
}

func (r *Run) representList(b *strings.Builder, l *list, depth int) {
	begin, end := "[", "]"
	if l.tuple {
		begin, end = "(", ")"
		if len(l.items) == 1 {
			end = ",)"
		}
	}
	b.WriteString(begin)
	for i, item := range l.items {
		if i > 0 {
			b.WriteString(", ")
		}
		r.represent(b, item, depth+1)
	}
	b.WriteString(end)
}

func (r *Run) representMapping(b *strings.Builder, m *mapping, depth int) {
	b.WriteByte('{')
	for i, k := range m.keys {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(k))
		b.WriteString(": ")
		r.represent(b, m.values[k], depth+1)
	}
	b.WriteByte('}')
}

// quote is Python's repr of a text.
func quote(s string) string {
	mark := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		mark = '"'
	}
	var b strings.Builder
	b.WriteRune(mark)
	for _, c := range s {
		switch {
		case c == mark || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == ' ' || unicode.IsGraphic(c) && !unicode.Is(unicode.Zs, c):
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	b.WriteRune(mark)
	return b.String()
}
