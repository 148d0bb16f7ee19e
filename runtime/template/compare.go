package template

import (
	"cmp"
	"strings"
)

// Equal reports whether two values are equal.
func (r *Run) Equal(a, b Value) bool { return !r.ended() && r.equal(a, b, 0) }

func (r *Run) equal(a, b Value, depth int) bool {
	if depth > limitNesting {
		r.fail("values are too deep to be compared")
		return false
	}
	if x, ok := a.number(); ok {
		y, ok := b.number()
		m, first := a.whole()
		n, second := b.whole()
		return ok && (first && second && m == n || !(first && second) && x == y)
	}
	switch x := a.v.(type) {
	case nil, undefined:
		return b.isUndefined()
	case *list:
		y, ok := b.v.(*list)
		return ok && x.tuple == y.tuple && r.equalLists(x.items, y.items, depth+1)
	case *mapping:
		y, ok := b.v.(*mapping)
		return ok && r.equalMappings(x, y, depth+1)
	}
	return a.v == b.v
}

func (r *Run) equalLists(a, b []Value, depth int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !r.equal(a[i], b[i], depth) {
			return false
		}
	}
	return true
}

func (r *Run) equalMappings(a, b *mapping, depth int) bool {
	if len(a.keys) != len(b.keys) {
		return false
	}
	for _, k := range a.keys {
		v, ok := b.values[k]
		if !ok || !r.equal(a.values[k], v, depth) {
			return false
		}
	}
	return true
}

// Less reports whether a comes before b.
func (r *Run) Less(a, b Value) bool { return r.compare(a, b, 0) < 0 }

// LessEqual reports whether a does not come after b.
func (r *Run) LessEqual(a, b Value) bool { return !r.ended() && r.compare(a, b, 0) <= 0 }

// compare orders numbers, texts, and lists of those.
func (r *Run) compare(a, b Value, depth int) int {
	if x, ok := a.whole(); ok {
		if y, ok := b.whole(); ok {
			return cmp.Compare(x, y)
		}
	}
	if x, ok := a.number(); ok {
		if y, ok := b.number(); ok {
			return cmp.Compare(x, y)
		}
	}
	switch x := a.v.(type) {
	case string:
		if y, ok := b.v.(string); ok {
			return strings.Compare(x, y)
		}
	case *list:
		if y, ok := b.v.(*list); ok && x.tuple == y.tuple && depth <= limitNesting {
			return r.compareLists(x.items, y.items, depth+1)
		}
	}
	r.fail("%s and %s have no order", a.kind(), b.kind())
	return 0
}

func (r *Run) compareLists(a, b []Value, depth int) int {
	for i := range min(len(a), len(b)) {
		if !r.equal(a[i], b[i], depth) {
			return r.compare(a[i], b[i], depth)
		}
	}
	return cmp.Compare(len(a), len(b))
}

// In reports whether a list or mapping holds a value, or a text a part.
func (r *Run) In(v, whole Value) bool {
	if r.ended() {
		return false
	}
	switch x := whole.v.(type) {
	case string:
		part, ok := v.v.(string)
		if !ok {
			r.fail("%s is not looked for in a text", v.kind())
		}
		return ok && strings.Contains(x, part)
	case *mapping:
		key, ok := v.v.(string)
		_, has := x.values[key]
		return ok && has
	}
	for _, item := range r.all(whole) {
		if r.equal(v, item, 0) {
			return true
		}
	}
	return false
}
