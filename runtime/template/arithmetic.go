package template

import (
	"math"
	"math/bits"
	"strings"
)

// Add is a + b: of numbers, texts or lists.
func (r *Run) Add(a, b Value) Value {
	switch x := a.v.(type) {
	case string:
		if y, ok := b.v.(string); ok {
			return r.madeText(x + y)
		}
	case *list:
		if y, ok := b.v.(*list); ok && x.tuple == y.tuple {
			items := make([]Value, 0, len(x.items)+len(y.items))
			items = append(append(items, x.items...), y.items...)
			if x.tuple {
				return Tuple(items...)
			}
			return r.madeList(items)
		}
	}
	return r.calculate("+", a, b, func(x, y int64) (int64, bool) {
		sum := x + y
		return sum, (sum > x) == (y > 0)
	}, func(x, y float64) float64 { return x + y })
}

// Subtract is a - b.
func (r *Run) Subtract(a, b Value) Value {
	return r.calculate("-", a, b, func(x, y int64) (int64, bool) {
		d := x - y
		return d, (d < x) == (y > 0)
	}, func(x, y float64) float64 { return x - y })
}

// Multiply is a · b: of numbers, or a text or list several times.
func (r *Run) Multiply(a, b Value) Value {
	if n, ok := a.whole(); ok {
		if v, done := r.repeat(b, n); done {
			return v
		}
	}
	if n, ok := b.whole(); ok {
		if v, done := r.repeat(a, n); done {
			return v
		}
	}
	return r.calculate("*", a, b, multiply, func(x, y float64) float64 { return x * y })
}

func multiply(x, y int64) (int64, bool) {
	high, low := bits.Mul64(uint64(magnitude(x)), uint64(magnitude(y)))
	return x * y, high == 0 && low <= math.MaxInt64
}

func magnitude(x int64) int64 {
	if x < 0 {
		return -x
	}
	return x
}

// repeat is n times a text or list, which done tells apart from others.
func (r *Run) repeat(v Value, n int64) (repeated Value, done bool) {
	n = max(n, 0)
	switch x := v.v.(type) {
	case string:
		if n > 0 && int64(len(x)) > limitText/n {
			return r.fail("it makes a text of more than %d bytes", limitText), true
		}
		return r.madeText(strings.Repeat(x, int(n))), true
	case *list:
		if n > 0 && int64(len(x.items)) > limitItems/n {
			return r.fail("it makes a list of more than %d items", limitItems), true
		}
		var items []Value
		for range n {
			items = append(items, x.items...)
		}
		return Value{&list{items, x.tuple}}, true
	}
	return Value{}, false
}

// Divide is a / b, a number with a fraction.
func (r *Run) Divide(a, b Value) Value {
	x, first := a.number()
	y, second := b.number()
	if !first || !second {
		return r.mismatch("/", a, b)
	}
	if y == 0 {
		return r.fail("division by zero")
	}
	return Float(x / y)
}

// FloorDivide is a // b, rounded down.
func (r *Run) FloorDivide(a, b Value) Value {
	if y, ok := b.number(); ok && y == 0 {
		return r.fail("division by zero")
	}
	return r.calculate("//", a, b, func(x, y int64) (int64, bool) {
		q := x / y
		if x%y != 0 && (x < 0) != (y < 0) {
			q--
		}
		return q, x != math.MinInt64 || y != -1
	}, func(x, y float64) float64 { return math.Floor(x / y) })
}

// Modulo is a % b, with the sign of b.
func (r *Run) Modulo(a, b Value) Value {
	if y, ok := b.number(); ok && y == 0 {
		return r.fail("division by zero")
	}
	return r.calculate("%", a, b, func(x, y int64) (int64, bool) {
		m := x % y
		if m != 0 && (m < 0) != (y < 0) {
			m += y
		}
		return m, true
	}, func(x, y float64) float64 {
		m := math.Mod(x, y)
		if m != 0 && (m < 0) != (y < 0) {
			m += y
		}
		return m
	})
}

// Power is a to the power of b.
func (r *Run) Power(a, b Value) Value {
	return r.calculate("**", a, b, func(x, y int64) (int64, bool) {
		p := math.Pow(float64(x), float64(y))
		return int64(p), y >= 0 && math.Abs(p) < 1<<53
	}, math.Pow)
}

// Negative is -v.
func (r *Run) Negative(v Value) Value {
	if _, ok := v.number(); !ok {
		return r.mismatch("-", Int(0), v)
	}
	if f, ok := v.v.(float64); ok {
		return Float(-f)
	}
	return r.Subtract(Int(0), v)
}

// Positive is +v.
func (r *Run) Positive(v Value) Value { return r.Add(Int(0), v) }

// Concat is a ~ b ~ …: the values as texts, one after the other.
func (r *Run) Concat(values ...Value) Value {
	var b strings.Builder
	for _, v := range values {
		b.WriteString(r.text(v))
		if b.Len() > limitText {
			break
		}
	}
	return r.madeText(b.String())
}

// calculate applies an operation to whole numbers, or to others.
func (r *Run) calculate(op string, a, b Value, whole func(x, y int64) (int64, bool), fraction func(x, y float64) float64) Value {
	if r.ended() {
		return Value{}
	}
	m, first := a.whole()
	n, second := b.whole()
	if first && second {
		result, ok := whole(m, n)
		if !ok {
			return r.fail("%d %s %d is beyond 64 bits", m, op, n)
		}
		return Int(result)
	}
	x, first := a.number()
	y, second := b.number()
	if !first || !second {
		return r.mismatch(op, a, b)
	}
	return Float(fraction(x, y))
}

func (r *Run) mismatch(op string, a, b Value) Value {
	for _, v := range []Value{a, b} {
		if v.isUndefined() {
			return r.fail("%s", v.why())
		}
	}
	return r.fail("there is no %s %s %s", a.kind(), op, b.kind())
}
