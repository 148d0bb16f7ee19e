package template

import (
	"slices"
	"strings"
)

// path is a path of names and numbers within values, as attributes of filters
// are; an empty one stands for the value itself.
type path []Value

// parsePath reads a path: parts between dots, numbers among them.
func (r *Run) parsePath(v Value) path {
	if n, ok := v.whole(); ok {
		return path{Int(n)}
	}
	s, ok := v.v.(string)
	if !ok {
		if !v.IsNone() {
			r.fail("%s is no attribute", v.kind())
		}
		return nil
	}
	var p path
	for _, part := range strings.Split(s, ".") {
		if allOf(part, func(c rune) bool { return c >= '0' && c <= '9' }).True() && len(part) < 10 {
			p = append(p, r.Int(String(part), None(), Int(10)))
		} else {
			p = append(p, String(part))
		}
	}
	return p
}

func (r *Run) follow(v Value, p path) Value {
	for _, part := range p {
		v = r.Index(v, part)
	}
	return v
}

// First is the first item.
func (r *Run) First(v Value) Value {
	if items := r.all(v); len(items) > 0 {
		return items[0]
	}
	return Value{undefined{"there is no first item"}}
}

// Last is the last item.
func (r *Run) Last(v Value) Value {
	if items := r.all(v); len(items) > 0 {
		return items[len(items)-1]
	}
	return Value{undefined{"there is no last item"}}
}

// List is the list of a value's items.
func (r *Run) List(v Value) Value { return List(r.all(v)...) }

// Items is the list of a mapping's entries, each a tuple.
func (r *Run) Items(v Value) Value {
	m, ok := v.v.(*mapping)
	switch {
	case ok:
		return List(m.pairs()...)
	case v.isUndefined():
		return List()
	}
	return r.fail("%s is not a mapping", v.kind())
}

// Join is the items as texts, or what they have under an attribute, with a
// separator between.
func (r *Run) Join(v, separator, attribute Value) Value {
	return r.joined(r.text(separator), r.parts(v, attribute))
}

// parts are the items, or what they have under an attribute.
func (r *Run) parts(v, attribute Value) []Value {
	p, items := r.parsePath(attribute), r.all(v)
	if len(p) == 0 {
		return items
	}
	parts := make([]Value, len(items))
	for i, item := range items {
		parts[i] = r.follow(item, p)
	}
	return parts
}

// MapAttribute is the list of what the items have under an attribute, or of
// another value where that is undefined.
func (r *Run) MapAttribute(v, attribute, other Value) Value {
	p := r.parsePath(attribute)
	return r.Map(v, func(item Value) Value {
		item = r.follow(item, p)
		if item.isUndefined() && !other.isUndefined() {
			return other
		}
		return item
	})
}

// some are the items of a value that is true; of others, none among them, Jinja's
// filters that go through items see none.
func (r *Run) some(v Value) []Value {
	if !v.True() {
		return nil
	}
	return r.all(v)
}

// Map is the list of what the items become.
func (r *Run) Map(v Value, become func(Value) Value) Value {
	items := r.some(v)
	mapped := make([]Value, 0, len(items))
	for _, item := range items {
		if !r.turn() {
			return Value{}
		}
		mapped = append(mapped, become(item))
	}
	return List(mapped...)
}

// Select is the list of the items of which keep is true.
func (r *Run) Select(v Value, keep func(Value) bool) Value {
	return r.selected(r.some(v), keep)
}

// Only is Select for the condition of a loop, which wants a list.
func (r *Run) Only(v Value, keep func(Value) bool) Value {
	return r.selected(r.all(v), keep)
}

func (r *Run) selected(items []Value, keep func(Value) bool) Value {
	selected := []Value{}
	for _, item := range items {
		if !r.turn() {
			return Value{}
		}
		if keep(item) {
			selected = append(selected, item)
		}
	}
	return List(selected...)
}

// SelectAttribute is the list of the items of which keep is true of what they
// have under an attribute.
func (r *Run) SelectAttribute(v, attribute Value, keep func(Value) bool) Value {
	p := r.parsePath(attribute)
	return r.Select(v, func(item Value) bool { return keep(r.follow(item, p)) })
}

// keyed is an item and what it is ordered by.
type keyed struct{ key, item Value }

// keys takes from the items what they are ordered by; texts without regard to
// capitals, unless caseSensitive.
func (r *Run) keys(items []Value, p path, caseSensitive bool) []keyed {
	list := make([]keyed, len(items))
	for i, item := range items {
		key := r.follow(item, p)
		if s, ok := key.v.(string); ok && !caseSensitive {
			key = String(strings.ToLower(s))
		}
		list[i] = keyed{key, item}
	}
	return list
}

// order sorts items by their keys; equal ones stay in their order.
func (r *Run) order(list []keyed, descending bool) []Value {
	slices.SortStableFunc(list, func(a, b keyed) int {
		if r.ended() {
			return 0
		}
		if descending {
			return r.compare(b.key, a.key, 0)
		}
		return r.compare(a.key, b.key, 0)
	})
	items := make([]Value, len(list))
	for i, k := range list {
		items[i] = k.item
	}
	return items
}

// Sort is the list of the items in order.
func (r *Run) Sort(v, descending, caseSensitive, attribute Value) Value {
	return List(r.order(r.keys(r.all(v), r.parsePath(attribute), caseSensitive.True()), descending.True())...)
}

// DictSort is the list of a mapping's entries, ordered by key or value.
func (r *Run) DictSort(v, caseSensitive, by, descending Value) Value {
	place, ok := map[string]int64{"key": 0, "value": 1}[r.text(by)]
	if !ok {
		return r.fail("dictsort: by must be key or value")
	}
	if v.isUndefined() {
		return r.fail("%s", v.why())
	}
	return List(r.order(r.keys(r.all(r.Items(v)), path{Int(place)}, caseSensitive.True()), descending.True())...)
}

// Unique is the list of the items without those that came before.
func (r *Run) Unique(v, caseSensitive, attribute Value) Value {
	var seen []keyed
	unique := []Value{}
	for _, k := range r.keys(r.all(v), r.parsePath(attribute), caseSensitive.True()) {
		if !r.turn() {
			return Value{}
		}
		if !slices.ContainsFunc(seen, func(s keyed) bool { return r.turn() && r.equal(s.key, k.key, 0) }) {
			seen = append(seen, k)
			unique = append(unique, k.item)
		}
	}
	return List(unique...)
}

// Min is the least item.
func (r *Run) Min(v, caseSensitive, attribute Value) Value {
	return r.First(List(r.order(r.keys(r.all(v), r.parsePath(attribute), caseSensitive.True()), false)...))
}

// Max is the greatest item.
func (r *Run) Max(v, caseSensitive, attribute Value) Value {
	return r.First(List(r.order(r.keys(r.all(v), r.parsePath(attribute), caseSensitive.True()), true)...))
}

// Sum is the sum of the items, or of what they have under an attribute.
func (r *Run) Sum(v, attribute, start Value) Value {
	for _, item := range r.parts(v, attribute) {
		start = r.Add(start, item)
	}
	return start
}
