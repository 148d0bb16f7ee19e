package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(mapTwin) }

func mapTwin(s kernel.Map) twin {
	var t twin
	names := []size{{"width", s.Width}, {"strideA", s.StrideA}}
	args := []jen.Code{id("y").Index(tokenRow("strideY").Op("+").Id("i"))}
	a := id("a").Index(tokenRow("strideA").Op("+").Id("i"))
	b := id("b").Index(tokenRow("strideB").Op("+").Id("i"))
	if s.Function.Binary() {
		names = append(names, size{"strideB", s.StrideB})
	}
	var value *jen.Statement
	switch s.Function {
	case kernel.MapAdd:
		t.doc, value = "y = a + b, element by element.", a.Op("+").Add(b)
	case kernel.MapMul:
		t.doc, value = "y = a·b, element by element.", a.Op("*").Add(b)
	case kernel.MapCopy:
		t.doc, value = "y = a, element by element.", a
	default:
		function := string(s.Function)
		t.doc, value = "y = "+function+"(a), element by element.", id(function).Call(a)
		t.needs = []string{function}
	}
	t.body = []jen.Code{
		sizes(append(names, size{"strideY", s.StrideY})...),
		forEach("t", id("tokens"), forEach("i", id("width"), jen.Add(args...).Op("=").Add(value))),
	}
	return t
}
