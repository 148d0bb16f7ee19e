package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(mapTwin) }

func mapTwin(s kernel.Map) twin {
	names := []size{{"width", s.Width}, {"strideA", s.StrideA}}
	if s.Function.Binary() {
		names = append(names, size{"strideB", s.StrideB})
	}
	names = append(names, size{"strideY", s.StrideY})
	if s.Function == kernel.MapScale {
		names = append(names, size{"by", s.By()})
	}
	doc, value, needs := mapValue(s.Function)
	y := id("y").Index(tokenRow("strideY").Op("+").Id("i"))
	return twin{
		doc:   "y = " + doc + ", element by element.",
		needs: needs,
		body: []jen.Code{
			sizes(names...),
			forEach("t", id("tokens"), forEach("i", id("width"), y.Op("=").Add(value))),
		},
	}
}

// mapValue is a function of the elements at hand, in words and in Go.
func mapValue(f kernel.Function) (doc string, value *jen.Statement, needs []string) {
	a := id("a").Index(tokenRow("strideA").Op("+").Id("i"))
	b := id("b").Index(tokenRow("strideB").Op("+").Id("i"))
	switch f {
	case kernel.MapAdd:
		return "a + b", a.Op("+").Add(b), nil
	case kernel.MapMul:
		return "a·b", a.Op("*").Add(b), nil
	case kernel.MapCopy:
		return "a", a, nil
	case kernel.MapZero:
		return "0", jen.Lit(0), nil
	case kernel.MapScale:
		return "by·a", id("by").Op("*").Add(a), nil
	}
	if act, ok := f.Gate(); ok {
		function := functionName(act)
		return function + "(a)·b", id(function).Call(a).Op("*").Add(b), []string{function}
	}
	function := functionName(f)
	return function + "(a)", id(function).Call(a), []string{function}
}

// functionName is the Go function of a scalar function.
func functionName(f kernel.Function) string {
	if f == kernel.MapGELUTanh {
		return "geluTanh"
	}
	return string(f)
}
