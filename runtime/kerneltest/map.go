package kerneltest

import (
	"fmt"
	"iter"
	"math"
	"strings"
)

// Map applies a scalar function to rows of Width elements.
type Map struct {
	Function                  string // copy, zero, add, mul, scale, an activation, or one with _mul
	Width                     int
	StrideA, StrideB, StrideY int
	ByBits                    uint32 // float32 bits of the factor of scale
}

// Cases implements Kernel; an argument is y in half of those that allow it.
func (m Map) Cases() iter.Seq[*Case] {
	return func(yield func(*Case) bool) {
		for _, tokens := range []int{0, 1, 2, 7} {
			for _, f := range append(flavours, sweep) {
				if !yield(m.newCase(tokens, f, "")) ||
					m.StrideA == m.StrideY && !yield(m.newCase(tokens, f, "a")) ||
					m.binary() && m.StrideB == m.StrideY && !yield(m.newCase(tokens, f, "b")) {
					return
				}
			}
		}
	}
}

func (m Map) binary() bool {
	_, gated := m.gate()
	return gated || m.Function == "add" || m.Function == "mul"
}

// gate is act of act(a)·b.
func (m Map) gate() (act string, ok bool) { return strings.CutSuffix(m.Function, "_mul") }

func (m Map) axes() []axis {
	return []axis{{"tokens", map[string]int{"y": m.StrideY, "a": m.StrideA, "b": m.StrideB}}}
}

// newCase makes y the argument of the name aliased, if there is one.
func (m Map) newCase(tokens int, f flavour, aliased string) *Case {
	c := &Case{Name: fmt.Sprintf("tokens=%d/%s/y=%s", tokens, f, aliased), kernel: m}
	v := newValues(c.Name, f)
	args := map[string][]float32{
		"y": v.f32(rows(tokens, m.StrideY, m.Width)),
		"a": v.f32(rows(tokens, m.StrideA, m.Width)),
		"b": v.f32(rows(tokens, m.StrideB, m.Width)),
	}
	c.inputs = argumentInputs(args, aliased, "y", "a")
	if m.binary() {
		c.inputs = argumentInputs(args, aliased, "y", "a", "b")
	}
	c.inputs = append(c.inputs, input{"tokens", tokens})
	return c.expect(outputs{"y": c.inputs[0].value.([]float32)}, func(want outcomes) {
		out := want["y"]
		for t := range tokens {
			for i := range m.Width {
				m.apply(out, t*m.StrideY+i, args["a"][t*m.StrideA+i], func() float32 { return args["b"][t*m.StrideB+i] })
			}
		}
	})
}

// argumentInputs lists arguments; y, the first, takes the content of the one
// it is.
func argumentInputs(args map[string][]float32, aliased string, names ...string) []input {
	list := []input{{"y", args["y"]}}
	for _, name := range names[1:] {
		if name == aliased {
			list[0].value = args[name]
			list = append(list, input{name, alias("y")})
		} else {
			list = append(list, input{name, args[name]})
		}
	}
	return list
}

func (m Map) apply(out *outcome, i int, a float32, b func() float32) {
	switch m.Function {
	case "add":
		out.exact(i, a+b())
		return
	case "mul":
		out.exact(i, a*b())
		return
	case "copy":
		out.exact(i, a)
		return
	case "zero":
		out.exact(i, 0)
		return
	case "scale":
		out.exact(i, math.Float32frombits(m.ByBits)*a)
		return
	}
	if act, ok := m.gate(); ok {
		product := exactly(a).apply(activations[act], 0).times(exactly(b()))
		out.near(i, product.value, product.err)
		return
	}
	value, bound := activations[m.Function](float64(a))
	out.near(i, value, bound)
}
