package template

import "slices"

// Macro is a part of a template that can be called.
type Macro struct {
	name   string
	params []string
	body   func(Arguments)
}

// Arguments are what a macro is called with, by the places of its parameters.
type Arguments []*Value

// Given reports whether there is an argument for a parameter.
func (a Arguments) Given(i int) bool { return a[i] != nil }

// At is the argument for a parameter, undefined if it was not given.
func (a Arguments) At(i int) Value {
	if a[i] == nil {
		return Value{undefined{"an argument was not given"}}
	}
	return *a[i]
}

// Macro makes a macro, which a variable holds as any value.
func (r *Run) Macro(name string, body func(Arguments), params ...string) Value {
	return Value{&Macro{name, params, body}}
}

// Call calls a macro and gives what it writes.
func (r *Run) Call(f Value, arguments []Value, named ...Pair) Value {
	if r.ended() {
		return Value{}
	}
	m, ok := f.v.(*Macro)
	switch {
	case f.isUndefined():
		return r.fail("%s", f.why())
	case !ok:
		return r.fail("%s cannot be called", f.kind())
	case len(arguments) > len(m.params):
		return r.fail("macro %s takes at most %d arguments", quote(m.name), len(m.params))
	case r.depth == limitDepth:
		return r.fail("macros call each other more than %d deep", limitDepth)
	}
	given := make(Arguments, len(m.params))
	for i := range arguments {
		given[i] = &arguments[i]
	}
	for _, p := range named {
		i := slices.Index(m.params, p.Key)
		if i < 0 || given[i] != nil {
			return r.fail("macro %s is called with another %s", quote(m.name), quote(p.Key))
		}
		given[i] = &p.Value
	}
	r.depth++
	defer func() { r.depth-- }()
	if !r.turn() {
		return Value{}
	}
	return r.Capture(func() { m.body(given) })
}

// Or is the first value that is true, or the last; those behind are not computed.
func (r *Run) Or(v Value, others ...func() Value) Value {
	for _, other := range others {
		if r.ended() || v.True() {
			break
		}
		v = other()
	}
	return v
}

// And is the first value that is not true, or the last; those behind are not
// computed.
func (r *Run) And(v Value, others ...func() Value) Value {
	for _, other := range others {
		if r.ended() || !v.True() {
			break
		}
		v = other()
	}
	return v
}

// If is one of two values; the other is not computed.
func (r *Run) If(condition bool, then, otherwise func() Value) Value {
	if r.ended() {
		return Value{}
	}
	if condition {
		return then()
	}
	return otherwise()
}
