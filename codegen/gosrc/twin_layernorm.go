package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(layernormTwin) }

func layernormTwin(s kernel.LayerNorm) twin {
	doc := "y = (x − mean) / √(var + eps) · w, token by token."
	value := jen.Parens(id("v").Op("-").Id("mean")).Op("*").Id("scale")
	scaled := jen.Float32().Call(value).Op("*").Id("w").Index(id("i"))
	if s.Bias {
		doc = "y = (x − mean) / √(var + eps) · w + bias, token by token."
		scaled = jen.Float32().Call(scaled).Op("+").Id("bias").Index(id("i"))
	}
	lane := func(name string) *jen.Statement { return id(name).Index(id("i").Op("%").Len(id(name))) }
	partial := func(name string) jen.Code {
		return jen.Var().Id(name).Index(jen.Lit(kernel.GroupChannels)).Float32()
	}
	return twin{
		doc: doc,
		body: []jen.Code{
			sizes(size{"width", s.Width}, size{"strideX", s.StrideX}, size{"strideY", s.StrideY}, size{"eps", s.Eps()}),
			forEach("t", id("tokens"),
				jen.List(id("in"), id("out")).Op(":=").List(from("x", tokenRow("strideX"), id("width")), from("y", tokenRow("strideY"), id("width"))),
				partial("sums"),
				forEachOf("i", "v", id("in"), lane("sums").Op("+=").Id("v")),
				id("mean").Op(":=").Id("sumLanes").Call(id("sums")).Op("/").Id("width"),
				partial("squares"),
				forEachOf("i", "v", id("in"),
					lane("squares").Op("+=").Add(rounded(jen.Parens(id("v").Op("-").Id("mean")), jen.Parens(id("v").Op("-").Id("mean")))),
				),
				id("variance").Op(":=").Id("sumLanes").Call(id("squares")).Op("/").Id("width"),
				scaleOf("variance"),
				forEachOf("i", "v", id("in"), id("out").Index(id("i")).Op("=").Add(scaled)),
			),
		},
		needs: []string{"sumLanes"},
	}
}
