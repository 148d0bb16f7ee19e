package template

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// Value is what an expression of a template gives; the zero Value is undefined.
// Values are not changed once they are made, namespaces apart.
type Value struct{ v any }

// What a Value holds besides bool, int64, float64 and string.
type (
	undefined struct{ what string } // why, for errors; nil is undefined too
	none      struct{}
	list      struct {
		items []Value
		tuple bool
	}
	mapping struct {
		keys   []string // in order
		values map[string]Value
	}
	namespace struct{ mapping }
	method    struct { // of a value, not called
		of   Value
		name string
	}
)

// Pair is an entry of a mapping.
type Pair struct {
	Key   string
	Value Value
}

// None is Python's None, and null of JSON.
func None() Value { return Value{none{}} }

// Bool is a truth value.
func Bool(b bool) Value { return Value{b} }

// Int is a whole number.
func Int(n int64) Value { return Value{n} }

// Float is a number with a fraction.
func Float(f float64) Value { return Value{f} }

// String is a text.
func String(s string) Value { return Value{s} }

// List is a list of values.
func List(items ...Value) Value { return Value{&list{items: items}} }

// Tuple is a list that prints in parentheses.
func Tuple(items ...Value) Value { return Value{&list{items: items, tuple: true}} }

// Object is a mapping of texts to values, in this order; of equal keys the last
// counts.
func Object(pairs ...Pair) Value {
	m := &mapping{values: make(map[string]Value, len(pairs))}
	for _, p := range pairs {
		m.set(p.Key, p.Value)
	}
	return Value{m}
}

// Message is a message of a conversation that has nothing but a role and a text.
func Message(role, content string) Value {
	return Object(Pair{"role", String(role)}, Pair{"content", String(content)})
}

func undefinedName(name string) Value { return Value{undefined{quote(name) + " is undefined"}} }

func (m *mapping) set(key string, v Value) {
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = v
}

// pairs are the entries as tuples, in order.
func (m *mapping) pairs() []Value {
	items := make([]Value, len(m.keys))
	for i, k := range m.keys {
		items[i] = Tuple(String(k), m.values[k])
	}
	return items
}

func (m *mapping) keyValues() []Value {
	items := make([]Value, len(m.keys))
	for i, k := range m.keys {
		items[i] = String(k)
	}
	return items
}

func (m *mapping) valueValues() []Value {
	items := make([]Value, len(m.keys))
	for i, k := range m.keys {
		items[i] = m.values[k]
	}
	return items
}

func (v Value) isUndefined() bool {
	_, ok := v.v.(undefined)
	return ok || v.v == nil
}

// why says of an undefined value what is not defined.
func (v Value) why() string {
	if u, ok := v.v.(undefined); ok {
		return u.what
	}
	return "a value is undefined"
}

// whole is the whole number that a value is, a truth value counting as one.
func (v Value) whole() (int64, bool) {
	switch x := v.v.(type) {
	case int64:
		return x, true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// number is the number that a value is.
func (v Value) number() (float64, bool) {
	if f, ok := v.v.(float64); ok {
		return f, true
	}
	n, ok := v.whole()
	return float64(n), ok
}

// True is Python's truth of a value.
func (v Value) True() bool {
	switch x := v.v.(type) {
	case nil, undefined, none:
		return false
	case bool:
		return x
	case int64:
		return x != 0
	case float64:
		return x != 0
	case string:
		return x != ""
	case *list:
		return len(x.items) > 0
	case *mapping:
		return len(x.keys) > 0
	}
	return true
}

// kind names what a value is, for errors.
func (v Value) kind() string {
	switch x := v.v.(type) {
	case nil, undefined:
		return "an undefined value"
	case none:
		return "none"
	case bool:
		return "a truth value"
	case int64, float64:
		return "a number"
	case string:
		return "a text"
	case *list:
		if x.tuple {
			return "a tuple"
		}
		return "a list"
	case *mapping:
		return "a mapping"
	case *namespace:
		return "a namespace"
	case *Macro:
		return "a macro"
	}
	return "a method"
}

// length is the number of a value's items, or characters.
func (v Value) length() (int, bool) {
	switch x := v.v.(type) {
	case nil, undefined:
		return 0, true
	case string:
		return utf8.RuneCountInString(x), true
	case *list:
		return len(x.items), true
	case *mapping:
		return len(x.keys), true
	}
	return 0, false
}

// items lists what a loop over the value goes through.
func (v Value) items() ([]Value, bool) {
	switch x := v.v.(type) {
	case nil, undefined:
		return nil, true
	case string:
		items := make([]Value, 0, len(x))
		for _, c := range x {
			items = append(items, String(string(c)))
		}
		return items, true
	case *list:
		return x.items, true
	case *mapping:
		return x.keyValues(), true
	}
	return nil, false
}

// all is items; a value that has none ends the rendering.
func (r *Run) all(v Value) []Value {
	items, ok := v.items()
	if !ok {
		r.fail("%s is not a list", v.kind())
	}
	return items
}

// madeList is a list that the template has made.
func (r *Run) madeList(items []Value) Value {
	if len(items) > limitItems {
		return r.fail("it makes a list of more than %d items", limitItems)
	}
	return List(items...)
}

// madeText is a text that the template has made.
func (r *Run) madeText(s string) Value {
	if len(s) > limitText {
		return r.fail("it makes a text of more than %d bytes", limitText)
	}
	if r.made += int64(len(s)); r.made > limitTotal {
		return r.fail("it makes texts of more than %d bytes", limitTotal)
	}
	return String(s)
}

// formatFloat prints a number as Python does: the shortest digits that read back,
// with an exponent where it is below -4 or above 15.
func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if f == math.Trunc(f) {
		s += ".0"
	}
	return s
}
