package template

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Method is v.name(arguments…): a method of texts or mappings, or a macro that
// an entry holds.
func (r *Run) Method(v Value, name string, arguments ...Value) Value {
	if r.ended() {
		return Value{}
	}
	switch x := v.v.(type) {
	case string:
		if m, ok := stringMethods[name]; ok {
			return m(r, x, arguments)
		}
	case *mapping:
		if slices.Contains(mappingMethods, name) {
			return r.mappingMethod(x, name, arguments)
		}
	}
	f := r.Attribute(v, name)
	if f.isUndefined() {
		return r.fail("%s", f.why())
	}
	return r.Call(f, arguments)
}

// mappingMethods are those of Python's dict that change nothing.
var mappingMethods = []string{"get", "items", "keys", "values", "copy"}

func (r *Run) mappingMethod(m *mapping, name string, arguments []Value) Value {
	switch name {
	case "items":
		return List(m.pairs()...)
	case "keys":
		return List(m.keyValues()...)
	case "values":
		return List(m.valueValues()...)
	case "copy":
		return Value{m}
	}
	if len(arguments) == 0 {
		return r.fail("get needs a key")
	}
	if key, ok := arguments[0].v.(string); ok {
		if v, ok := m.values[key]; ok {
			return v
		}
	}
	if len(arguments) > 1 {
		return arguments[1]
	}
	return None()
}

// stringMethods are those of Python's str, by name.
var stringMethods = map[string]func(r *Run, s string, arguments []Value) Value{
	"strip":      func(r *Run, s string, a []Value) Value { return String(strings.TrimFunc(s, r.characters(a))) },
	"lstrip":     func(r *Run, s string, a []Value) Value { return String(strings.TrimLeftFunc(s, r.characters(a))) },
	"rstrip":     func(r *Run, s string, a []Value) Value { return String(strings.TrimRightFunc(s, r.characters(a))) },
	"upper":      func(_ *Run, s string, _ []Value) Value { return String(strings.ToUpper(s)) },
	"lower":      func(_ *Run, s string, _ []Value) Value { return String(strings.ToLower(s)) },
	"title":      func(_ *Run, s string, _ []Value) Value { return String(titleWords(s)) },
	"capitalize": func(_ *Run, s string, _ []Value) Value { return String(capitalize(s)) },
	"startswith": func(r *Run, s string, a []Value) Value {
		return r.anyText(a, func(p string) bool { return strings.HasPrefix(s, p) })
	},
	"endswith": func(r *Run, s string, a []Value) Value {
		return r.anyText(a, func(p string) bool { return strings.HasSuffix(s, p) })
	},
	"removeprefix": func(r *Run, s string, a []Value) Value { return String(strings.TrimPrefix(s, r.textAt(a, 0))) },
	"removesuffix": func(r *Run, s string, a []Value) Value { return String(strings.TrimSuffix(s, r.textAt(a, 0))) },
	"count":        func(r *Run, s string, a []Value) Value { return Int(int64(strings.Count(s, r.textAt(a, 0)))) },
	"find":         func(r *Run, s string, a []Value) Value { return found(s, strings.Index(s, r.textAt(a, 0))) },
	"rfind":        func(r *Run, s string, a []Value) Value { return found(s, strings.LastIndex(s, r.textAt(a, 0))) },
	"join":         func(r *Run, s string, a []Value) Value { return r.joinTexts(s, a) },
	"splitlines":   func(_ *Run, s string, _ []Value) Value { return texts(splitLines(s)) },
	"split":        func(r *Run, s string, a []Value) Value { return r.split(s, a, false) },
	"rsplit":       func(r *Run, s string, a []Value) Value { return r.split(s, a, true) },
	"isspace":      func(_ *Run, s string, _ []Value) Value { return allOf(s, isSpace) },
	"isdigit":      func(_ *Run, s string, _ []Value) Value { return allOf(s, unicode.IsDigit) },
	"isalpha":      func(_ *Run, s string, _ []Value) Value { return allOf(s, unicode.IsLetter) },
	"isalnum":      func(_ *Run, s string, _ []Value) Value { return allOf(s, isAlphanumeric) },
	"islower":      func(_ *Run, s string, _ []Value) Value { return Bool(strings.ToLower(s) == s && hasCase(s)) },
	"isupper":      func(_ *Run, s string, _ []Value) Value { return Bool(strings.ToUpper(s) == s && hasCase(s)) },
	"replace": func(r *Run, s string, a []Value) Value {
		count := None()
		if len(a) > 2 {
			count = a[2]
		}
		return r.replace(s, r.textAt(a, 0), r.textAt(a, 1), count)
	},
}

// textAt is an argument that must be a text.
func (r *Run) textAt(arguments []Value, i int) string {
	if i >= len(arguments) {
		r.fail("an argument of a method is missing")
		return ""
	}
	s, ok := arguments[i].v.(string)
	if !ok {
		r.fail("%s is not the text that a method needs", arguments[i].kind())
	}
	return s
}

// characters says what a strip removes: the characters of a text, or white space.
func (r *Run) characters(arguments []Value) func(rune) bool {
	if len(arguments) == 0 || arguments[0].IsNone() {
		return isSpace
	}
	set := r.textAt(arguments, 0)
	return func(c rune) bool { return strings.ContainsRune(set, c) }
}

// anyText reports whether one of the texts, a tuple or a single one, is as is.
func (r *Run) anyText(arguments []Value, is func(string) bool) Value {
	if len(arguments) > 0 {
		if l, ok := arguments[0].v.(*list); ok && l.tuple {
			for i := range l.items {
				if is(r.textAt(l.items, i)) {
					return Bool(true)
				}
			}
			return Bool(false)
		}
	}
	return Bool(is(r.textAt(arguments, 0)))
}

// joinTexts is Python's join, of texts only.
func (r *Run) joinTexts(separator string, arguments []Value) Value {
	if len(arguments) == 0 {
		return r.fail("join needs a list")
	}
	items := r.all(arguments[0])
	for i := range items {
		r.textAt(items, i)
	}
	return r.joined(separator, items)
}

func (r *Run) joined(separator string, items []Value) Value {
	var b strings.Builder
	for i, v := range items {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(r.text(v))
		if b.Len() > limitText {
			break
		}
	}
	return r.madeText(b.String())
}

// split is Python's: at a separator, or at runs of white space; at most as often
// as the second argument says, from the end if that is asked for.
func (r *Run) split(s string, arguments []Value, fromEnd bool) Value {
	count := int64(-1)
	if len(arguments) > 1 {
		count = r.bound(arguments[1], -1)
	}
	if len(arguments) == 0 || arguments[0].IsNone() {
		if fromEnd && count >= 0 {
			return r.fail("rsplit at white space takes no number of splits")
		}
		return texts(splitSpace(s, count))
	}
	separator := r.textAt(arguments, 0)
	if separator == "" {
		return r.fail("split needs a separator that is not empty")
	}
	limit := -1
	if count >= 0 {
		limit = int(min(count, int64(len(s)))) + 1
	}
	if fromEnd {
		return texts(splitFromEnd(s, separator, limit))
	}
	return r.madeTexts(strings.SplitN(s, separator, limit))
}

// splitFromEnd gives at most limit parts, -1 for all.
func splitFromEnd(s, separator string, limit int) []string {
	var parts []string
	for limit < 0 || len(parts)+1 < limit {
		i := strings.LastIndex(s, separator)
		if i < 0 {
			break
		}
		parts = append(parts, s[i+len(separator):])
		s = s[:i]
	}
	parts = append(parts, s)
	slices.Reverse(parts)
	return parts
}

func splitSpace(s string, count int64) []string {
	parts := []string{}
	for s = strings.TrimLeftFunc(s, isSpace); s != ""; s = strings.TrimLeftFunc(s, isSpace) {
		end := strings.IndexFunc(s, isSpace)
		switch {
		case int64(len(parts)) == count:
			return append(parts, s)
		case end < 0:
			return append(parts, s)
		}
		parts = append(parts, s[:end])
		s = s[end:]
	}
	return parts
}

// splitLines is Python's: at every character that ends a line.
func splitLines(s string) []string {
	lines := []string{}
	for s != "" {
		end := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if end < 0 {
			return append(lines, s)
		}
		lines = append(lines, s[:end])
		_, size := utf8.DecodeRuneInString(s[end:])
		if strings.HasPrefix(s[end:], "\r\n") {
			size = 2
		}
		s = s[end+size:]
	}
	return lines
}

func texts(parts []string) Value {
	items := make([]Value, len(parts))
	for i, s := range parts {
		items[i] = String(s)
	}
	return List(items...)
}

func (r *Run) madeTexts(parts []string) Value {
	if len(parts) > limitItems {
		return r.fail("it makes a list of more than %d items", limitItems)
	}
	return texts(parts)
}

// found is an index in bytes as one in characters.
func found(s string, at int) Value {
	if at < 0 {
		return Int(-1)
	}
	return Int(int64(utf8.RuneCountInString(s[:at])))
}

// replace is Python's; count is none or how often.
func (r *Run) replace(s, old, with string, count Value) Value {
	n := int(max(min(r.bound(count, -1), limitText), -1))
	times := strings.Count(s, old)
	if n >= 0 {
		times = min(n, times)
	}
	if len(s)+times*len(with) > limitText {
		return r.fail("it makes a text of more than %d bytes", limitText)
	}
	return r.madeText(strings.Replace(s, old, with, n))
}

// isSpace is Python's: Unicode's white space and the separators of ASCII.
func isSpace(c rune) bool { return unicode.IsSpace(c) || c >= 0x1c && c <= 0x1f }

func isAlphanumeric(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) }

func isCased(c rune) bool { return unicode.IsUpper(c) || unicode.IsLower(c) || unicode.IsTitle(c) }

func hasCase(s string) bool { return strings.ContainsFunc(s, isCased) }

func allOf(s string, is func(rune) bool) Value {
	return Bool(s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !is(c) }))
}

// titleWords is Python's title: the first letter of every run of letters is
// large, the others small.
func titleWords(s string) string {
	within := false
	return strings.Map(func(c rune) rune {
		was := within
		within = isCased(c)
		if was {
			return unicode.ToLower(c)
		}
		return unicode.ToTitle(c)
	}, s)
}

func capitalize(s string) string {
	c, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToTitle(c)) + strings.ToLower(s[size:])
}
