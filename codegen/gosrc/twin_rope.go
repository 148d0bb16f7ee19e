package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(ropeTwin) }

// ropeTwin reads both elements of a pair before it writes them, so that y may be
// x.
func ropeTwin(s kernel.RoPE) twin {
	first, second := id("i"), id("i").Op("+").Id("half")
	if s.Interleaved {
		first, second = jen.Lit(2).Op("*").Id("i"), jen.Lit(2).Op("*").Id("i").Op("+").Lit(1)
	}
	names := []size{{"width", s.Width}, {"headDim", s.HeadDim}, {"half", s.Rotary / 2},
		{"strideX", s.StrideX}, {"strideA", s.StrideA}, {"strideY", s.StrideY}}
	head := func(s, stride string) *jen.Statement {
		return from(s, tokenRow(stride).Op("+").Id("at"), id("headDim"))
	}
	product := func(v, factor string) *jen.Statement { return rounded(id(v), id(factor)) }
	body := []jen.Code{
		jen.List(id("in"), id("out")).Op(":=").List(head("x", "strideX"), head("y", "strideY")),
		forEach("i", id("half"),
			jen.List(id("a"), id("b")).Op(":=").List(id("in").Index(first), id("in").Index(second)),
			jen.List(id("cos"), id("sin")).Op(":=").List(id("turn").Index(id("i")), id("turn").Index(id("half").Op("+").Id("i"))),
			jen.List(id("out").Index(first.Clone()), id("out").Index(second.Clone())).Op("=").List(
				product("a", "cos").Op("-").Add(product("b", "sin")), product("b", "cos").Op("+").Add(product("a", "sin"))),
		),
	}
	if s.Rotary < s.HeadDim {
		body = append(body, jen.Copy(id("out").Index(jen.Lit(2).Op("*").Id("half"), jen.Empty()), id("in").Index(jen.Lit(2).Op("*").Id("half"), jen.Empty())))
	}
	return twin{
		doc: "y is x with pairs of elements of each head turned by the angles.",
		body: []jen.Code{
			sizes(names...),
			forEach("t", id("tokens"),
				id("turn").Op(":=").Add(from("angles", tokenRow("strideA"), jen.Lit(2).Op("*").Id("half"))),
				jen.For(id("at").Op(":=").Lit(0), id("at").Op("<").Id("width"), id("at").Op("+=").Id("headDim")).Block(body...),
			),
		},
	}
}
