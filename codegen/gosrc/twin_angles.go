package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(anglesTwin) }

func anglesTwin(s kernel.Angles) twin {
	part := func(from, to *jen.Statement) *jen.Statement { return id("y").Index(from, to) }
	row := func() *jen.Statement { return tokenRow("strideY") }
	return twin{
		doc: "y = cos(p·f)·factor, then sin(p·f)·factor, at the position p of each token.",
		body: []jen.Code{
			sizes(size{"count", s.Count}, size{"strideY", s.StrideY}, size{"factor", s.Factor()}),
			forEach("t", id("tokens"),
				id("cosines").Op(":=").Add(part(row(), row().Op("+").Id("count"))),
				id("sines").Op(":=").Add(part(row().Op("+").Id("count"), row().Op("+").Lit(2).Op("*").Id("count"))),
				forEachOf("i", "frequency", id("f").Index(jen.Empty(), id("count")),
					id("angle").Op(":=").Float32().Call(id("position").Op("+").Id("t")).Op("*").Id("frequency"),
					jen.List(id("sin"), id("cos")).Op(":=").Qual("math", "Sincos").Call(jen.Float64().Call(id("angle"))),
					jen.List(id("cosines").Index(id("i")), id("sines").Index(id("i"))).Op("=").List(
						jen.Float32().Call(id("cos")).Op("*").Id("factor"), jen.Float32().Call(id("sin")).Op("*").Id("factor")),
				),
			),
		},
	}
}
