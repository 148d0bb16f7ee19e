package kerneltest

import (
	"fmt"
	"math"
	"slices"
)

// Call is the arguments of one call of a kernel, by the names of its
// parameters. Its slices have exactly the length that the kind promises and
// lie between guard elements.
type Call struct {
	args []argument
}

// argument holds a value of one of the types of kernel parameters.
type argument struct {
	name  string
	value any // []float32, []uint16, []uint8, []int32 or int
	whole any // the slice with its guards; nil for an int or an alias
}

// guard is how many elements on either side of a slice must stay as they are.
const guard = 64

// Patterns of guard elements: NaN as float32, so that reading them shows too.
const (
	guardF32 = 0x7fc5a5a5
	guardU16 = 0x7fc5
	guardU8  = 0xc5
	guardI32 = math.MinInt32 + 0x5a5a
)

// Args lists the arguments in the order of the kernel's parameters.
func (c *Call) Args() []any {
	var list []any
	for _, a := range c.args {
		list = append(list, a.value)
	}
	return list
}

// F32 is the argument of that name and type; another is a panic.
func (c *Call) F32(name string) []float32 { return c.find(name).([]float32) }

// U16 is the argument of that name and type; another is a panic.
func (c *Call) U16(name string) []uint16 { return c.find(name).([]uint16) }

// U8 is the argument of that name and type; another is a panic.
func (c *Call) U8(name string) []uint8 { return c.find(name).([]uint8) }

// I32 is the argument of that name and type; another is a panic.
func (c *Call) I32(name string) []int32 { return c.find(name).([]int32) }

// Int is the argument of that name and type; another is a panic.
func (c *Call) Int(name string) int { return c.find(name).(int) }

func (c *Call) find(name string) any {
	for _, a := range c.args {
		if a.name == name {
			return a.value
		}
	}
	panic("BUG: the kernel has no parameter " + name)
}

// add appends an argument, copied between guards where it is a slice.
func (c *Call) add(name string, value any) {
	a := argument{name: name, value: value}
	switch v := value.(type) {
	case []float32:
		a.value, a.whole = guarded(v, math.Float32frombits(guardF32))
	case []uint16:
		a.value, a.whole = guarded(v, guardU16)
	case []uint8:
		a.value, a.whole = guarded(v, guardU8)
	case []int32:
		a.value, a.whole = guarded(v, guardI32)
	case alias:
		a.value = c.find(string(v))
	}
	c.args = append(c.args, a)
}

func guarded[T any](v []T, mark T) (part, whole []T) {
	fence := slices.Repeat([]T{mark}, guard)
	whole = slices.Concat(fence, v, fence)
	end := guard + len(v)
	return whole[guard:end:end], whole
}

// checkGuards finds a write beside a slice.
func (c *Call) checkGuards() error {
	for _, a := range c.args {
		at := -1
		switch whole := a.whole.(type) {
		case []float32:
			at = broken(whole, func(v float32) bool { return math.Float32bits(v) == guardF32 })
		case []uint16:
			at = broken(whole, func(v uint16) bool { return v == guardU16 })
		case []uint8:
			at = broken(whole, func(v uint8) bool { return v == guardU8 })
		case []int32:
			at = broken(whole, func(v int32) bool { return v == guardI32 })
		}
		if at >= 0 {
			return fmt.Errorf("%s: element %d is written, out of bounds", a.name, at-guard)
		}
	}
	return nil
}

// broken finds a guard element that has changed; −1 is none.
func broken[T any](whole []T, intact func(T) bool) int {
	end := len(whole) - guard
	for i, v := range whole {
		if (i < guard || i >= end) && !intact(v) {
			return i
		}
	}
	return -1
}

// part is the call for units from … from+n of an axis.
func (c *Call) part(x axis, from, n int) *Call {
	p := &Call{}
	for _, a := range c.args {
		stride := x.strides[a.name]
		switch v := a.value.(type) {
		case []float32:
			a.value = v[min(from*stride, len(v)):]
		case []uint16:
			a.value = v[min(from*stride, len(v)):]
		case []uint8:
			a.value = v[min(from*stride, len(v)):]
		case []int32:
			a.value = v[min(from*stride, len(v)):]
		case int:
			if a.value = v + from*stride; a.name == x.count {
				a.value = n
			} else {
				a.value = v + from*stride
			}
		}
		p.args = append(p.args, a)
	}
	return p
}
