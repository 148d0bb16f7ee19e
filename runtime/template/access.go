package template

import "slices"

// Attribute is v.name: what a value has under this name, a method before an
// entry.
func (r *Run) Attribute(v Value, name string) Value {
	switch x := v.v.(type) {
	case nil, undefined:
		return r.fail("%s", v.why())
	case *namespace:
		if item, ok := x.values[name]; ok {
			return item
		}
	case *mapping:
		if slices.Contains(mappingMethods, name) {
			return Value{method{v, name}}
		}
		if item, ok := x.values[name]; ok {
			return item
		}
	case string:
		if _, ok := stringMethods[name]; ok {
			return Value{method{v, name}}
		}
	}
	return Value{undefined{v.kind() + " has no attribute " + quote(name)}}
}

// Index is v[key]: an entry before a method.
func (r *Run) Index(v, key Value) Value {
	if v.isUndefined() {
		return r.fail("%s", v.why())
	}
	name, isName := key.v.(string)
	switch x := v.v.(type) {
	case *mapping:
		if item, ok := x.values[name]; ok && isName {
			return item
		}
	case *list:
		if i, ok := place(key, len(x.items)); ok {
			return x.items[i]
		}
	case string:
		characters := []rune(x)
		if i, ok := place(key, len(characters)); ok {
			return String(string(characters[i]))
		}
	}
	if isName {
		return r.Attribute(v, name)
	}
	return Value{undefined{v.kind() + " has no element " + quote(r.text(key))}}
}

// place is an index into n items; negative ones count from the end.
func place(key Value, n int) (int64, bool) {
	i, ok := key.whole()
	if i < 0 {
		i += int64(n)
	}
	return i, ok && i >= 0 && i < int64(n)
}

// SetAttribute changes an entry of a namespace.
func (r *Run) SetAttribute(v Value, name string, to Value) {
	n, ok := v.v.(*namespace)
	if !ok {
		r.fail("%s is not a namespace, whose parts can be set", v.kind())
		return
	}
	if !r.ended() {
		n.set(name, to)
	}
}

// Namespace is a mapping whose entries can be set.
func (r *Run) Namespace(pairs ...Pair) Value {
	n := &namespace{mapping{values: map[string]Value{}}}
	for _, p := range pairs {
		n.set(p.Key, p.Value)
	}
	return Value{n}
}

// Slice is v[start:end:step]; none stands for what is left out.
func (r *Run) Slice(v, start, end, step Value) Value {
	if r.ended() {
		return Value{}
	}
	switch x := v.v.(type) {
	case string:
		characters := []rune(x)
		var part []rune
		for _, i := range r.places(len(characters), start, end, step) {
			part = append(part, characters[i])
		}
		return String(string(part))
	case *list:
		part := []Value{}
		for _, i := range r.places(len(x.items), start, end, step) {
			part = append(part, x.items[i])
		}
		return Value{&list{part, x.tuple}}
	case nil, undefined:
		return r.fail("%s", v.why())
	}
	return r.fail("%s has no slices", v.kind())
}

// places are the indices of a slice of n items.
func (r *Run) places(n int, start, end, step Value) []int {
	by := r.bound(step, 1)
	if by == 0 {
		r.fail("a slice's step is zero")
		return nil
	}
	// Before the first and behind the last item, in the direction of the step.
	low, high := 0, n
	if by < 0 {
		low, high = -1, n-1
	}
	limit := func(v Value, missing int) int {
		if _, ok := v.v.(none); ok {
			return missing
		}
		i := r.bound(v, 0)
		if i < 0 {
			i += int64(n)
		}
		return int(min(max(i, int64(low)), int64(high)))
	}
	var list []int
	if by > 0 {
		for i, last := limit(start, low), limit(end, high); i < last; i += int(min(by, int64(n))) {
			list = append(list, i)
		}
		return list
	}
	for i, last := limit(start, high), limit(end, low); i > last; i += int(max(by, int64(-n))) {
		list = append(list, i)
	}
	return list
}

// bound is a whole number of a slice; none gives missing.
func (r *Run) bound(v Value, missing int64) int64 {
	if _, ok := v.v.(none); ok {
		return missing
	}
	i, ok := v.whole()
	if !ok {
		r.fail("%s bounds no slice", v.kind())
	}
	return i
}

// Unpack gives the n parts of a list.
func (r *Run) Unpack(v Value, n int) []Value {
	items := r.all(v)
	if len(items) != n {
		r.fail("a list of %d items is taken for one of %d", len(items), n)
		return make([]Value, n)
	}
	return items
}
