package template

import "strings"

// IsDefined is the test defined.
func (v Value) IsDefined() bool { return !v.isUndefined() }

// IsNone is the test none.
func (v Value) IsNone() bool { _, ok := v.v.(none); return ok }

// IsBoolean is the test boolean.
func (v Value) IsBoolean() bool { _, ok := v.v.(bool); return ok }

// IsTrue is the test true: not what counts as true, but True.
func (v Value) IsTrue() bool { return v.v == true }

// IsFalse is the test false.
func (v Value) IsFalse() bool { return v.v == false }

// IsInteger is the test integer.
func (v Value) IsInteger() bool { _, ok := v.v.(int64); return ok }

// IsFloat is the test float.
func (v Value) IsFloat() bool { _, ok := v.v.(float64); return ok }

// IsNumber is the test number, which Python's truth values are.
func (v Value) IsNumber() bool { _, ok := v.number(); return ok }

// IsString is the test string.
func (v Value) IsString() bool { _, ok := v.v.(string); return ok }

// IsMapping is the test mapping.
func (v Value) IsMapping() bool { _, ok := v.v.(*mapping); return ok }

// IsIterable is the test iterable: whether a loop can go through it.
func (v Value) IsIterable() bool { _, ok := v.items(); return ok }

// IsSequence is the test sequence, which has a length and elements.
func (v Value) IsSequence() bool { _, ok := v.length(); return ok }

// IsCallable is the test callable.
func (v Value) IsCallable() bool {
	switch v.v.(type) {
	case *Macro, method, undefined, nil: // Jinja's undefined has a __call__, which fails
		return true
	}
	return false
}

// IsLower is the test lower.
func (r *Run) IsLower(v Value) bool { s := r.text(v); return strings.ToLower(s) == s && hasCase(s) }

// IsUpper is the test upper.
func (r *Run) IsUpper(v Value) bool { s := r.text(v); return strings.ToUpper(s) == s && hasCase(s) }

// IsDivisibleBy is the test divisibleby.
func (r *Run) IsDivisibleBy(v, by Value) bool { return r.remainder(v, by, 0) }

// IsOdd is the test odd.
func (r *Run) IsOdd(v Value) bool { return r.remainder(v, Int(2), 1) }

// IsEven is the test even.
func (r *Run) IsEven(v Value) bool { return r.remainder(v, Int(2), 0) }

func (r *Run) remainder(v, by Value, want int64) bool {
	m := r.Modulo(v, by)
	return !r.ended() && r.Equal(m, Int(want))
}

// IsSame is the test sameas, of values that are compared, not of where they are
// kept: lists and mappings are the same only as themselves.
func (r *Run) IsSame(a, b Value) bool { return !r.ended() && a.v == b.v }
