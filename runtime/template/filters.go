package template

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Filters have the names of Jinja's, and all their arguments: the compiler
// fills in those that a template leaves out.

// Default is v, or another value if v is undefined, or not true where that is
// asked for.
func (r *Run) Default(v, other, untrue Value) Value {
	if v.isUndefined() || untrue.True() && !v.True() {
		return other
	}
	return v
}

// Trim removes characters, white space for none, from both ends of a text.
func (r *Run) Trim(v, characters Value) Value {
	return String(strings.TrimFunc(r.text(v), r.characters([]Value{characters})))
}

// Upper is a text in capitals.
func (r *Run) Upper(v Value) Value { return String(strings.ToUpper(r.text(v))) }

// Lower is a text in small letters.
func (r *Run) Lower(v Value) Value { return String(strings.ToLower(r.text(v))) }

// Capitalize begins a text with a capital and goes on in small letters.
func (r *Run) Capitalize(v Value) Value { return String(capitalize(r.text(v))) }

// Title does so with every word; words begin behind white space, hyphens and
// opening brackets.
func (r *Run) Title(v Value) Value {
	s := r.text(v)
	var b strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, beginsWord)
		if end < 0 {
			end = len(s)
		}
		b.WriteString(capitalize(s[:end]))
		s = s[end:]
		rest := strings.TrimLeftFunc(s, beginsWord)
		b.WriteString(s[:len(s)-len(rest)])
		s = rest
	}
	return String(b.String())
}

func beginsWord(c rune) bool { return isSpace(c) || strings.ContainsRune("-({[<", c) }

// Replace replaces a text, as often as count says, everywhere for none.
func (r *Run) Replace(v, old, with, count Value) Value {
	return r.replace(r.text(v), r.text(old), r.text(with), count)
}

// Length is the number of items or characters.
func (r *Run) Length(v Value) Value {
	n, ok := v.length()
	if !ok {
		return r.fail("%s has no length", v.kind())
	}
	return Int(int64(n))
}

// String is Python's str of a value.
func (r *Run) String(v Value) Value { return String(r.text(v)) }

// Int is a whole number, or other if v does not stand for one.
func (r *Run) Int(v, other, base Value) Value {
	switch x := v.v.(type) {
	case bool, int64:
		n, _ := v.whole()
		return Int(n)
	case float64:
		return wholeOf(x, other)
	case string:
		s := strings.TrimFunc(x, isSpace)
		if n, err := strconv.ParseInt(s, int(r.bound(base, 10)), 64); err == nil {
			return Int(n)
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return wholeOf(f, other)
		}
	case nil, undefined:
		return r.fail("%s", v.why())
	}
	return other
}

func wholeOf(f float64, other Value) Value {
	if math.Abs(f) < math.MaxInt64 {
		return Int(int64(f))
	}
	return other
}

// Float is a number with a fraction, or other if v does not stand for one.
func (r *Run) Float(v, other Value) Value {
	if f, ok := v.number(); ok {
		return Float(f)
	}
	switch x := v.v.(type) {
	case string:
		if f, err := strconv.ParseFloat(strings.TrimFunc(x, isSpace), 64); err == nil {
			return Float(f)
		}
	case nil, undefined:
		return r.fail("%s", v.why())
	}
	return other
}

// Abs is the absolute value of a number.
func (r *Run) Abs(v Value) Value {
	f, ok := v.number()
	if !ok {
		return r.fail("%s has no absolute value", v.kind())
	}
	if f < 0 {
		return r.Negative(v)
	}
	return r.Positive(v)
}

// Round rounds to a number of digits: to the nearest ("common"), up ("ceil") or
// down ("floor").
func (r *Run) Round(v, precision, how Value) Value {
	f, ok := v.number()
	digits := r.bound(precision, 0)
	if !ok || digits < 0 || digits > 300 {
		return r.fail("%s cannot be rounded to %d digits", v.kind(), digits)
	}
	scale := math.Pow(10, float64(digits))
	switch r.text(how) {
	case "common":
		if _, whole := v.whole(); whole {
			return r.Positive(v)
		}
		rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(digits), 64), 64)
		if err != nil { // not a number, or infinite
			return v
		}
		return Float(rounded)
	case "ceil":
		return Float(math.Ceil(f*scale) / scale)
	case "floor":
		return Float(math.Floor(f*scale) / scale)
	}
	return r.fail("round: no method %s", quote(r.text(how)))
}

// Indent indents the lines of a text by a number of spaces or by a text: the
// first too, and empty ones, if that is asked for.
func (r *Run) Indent(v, width, first, blank Value) Value {
	indent, ok := width.v.(string)
	if !ok {
		indent = strings.Repeat(" ", int(max(min(r.bound(width, 0), 1000), 0)))
	}
	text, isText := v.v.(string)
	if !isText {
		return r.mismatch("+", v, String(""))
	}
	lines := splitLines(text + "\n")
	if len(lines)*len(indent) > limitText {
		return r.fail("it makes a text of more than %d bytes", limitText)
	}
	for i := range lines {
		if i == 0 && first.True() || i > 0 && (lines[i] != "" || blank.True()) {
			lines[i] = indent + lines[i]
		}
	}
	return r.madeText(strings.Join(lines, "\n"))
}

// Reverse is a text or list from its end.
func (r *Run) Reverse(v Value) Value {
	if s, ok := v.v.(string); ok {
		b := make([]byte, 0, len(s))
		for s != "" {
			c, size := utf8.DecodeLastRuneInString(s)
			b = utf8.AppendRune(b, c)
			s = s[:len(s)-size]
		}
		return String(string(b))
	}
	items := r.all(v)
	reversed := make([]Value, len(items))
	for i, item := range items {
		reversed[len(items)-1-i] = item
	}
	return List(reversed...)
}
