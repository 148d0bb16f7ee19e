package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(rmsnormTwin)
	registerSupport("sumLanes", sumLanes)
}

func rmsnormTwin(s kernel.RMSNorm) twin {
	doc := "y = x / √(mean(x²) + eps) · w, token by token."
	scaled := id("v").Op("*").Id("scale")
	if s.Weight {
		scaled = rounded(id("v"), id("scale")).Op("*").Id("w").Index(id("i"))
	} else {
		doc = "y = x / √(mean(x²) + eps), token by token."
	}
	return twin{
		doc: doc,
		body: []jen.Code{
			sizes(
				size{"width", s.Width},
				size{"strideX", s.StrideX},
				size{"strideY", s.StrideY},
				size{"eps", s.Eps()},
			),
			forEach("t", id("tokens"),
				jen.List(id("in"), id("out")).Op(":=").List(from("x", tokenRow("strideX"), id("width")), from("y", tokenRow("strideY"), id("width"))),
				jen.Var().Id("lanes").Index(jen.Lit(kernel.GroupChannels)).Float32(),
				forEachOf("i", "v", id("in"),
					id("lanes").Index(id("i").Op("%").Len(id("lanes"))).Op("+=").Add(rounded(id("v"), id("v"))),
				),
				id("mean").Op(":=").Id("sumLanes").Call(id("lanes")).Op("/").Id("width"),
				id("scale").Op(":=").Lit(1).Op("/").Float32().Call(jen.Qual("math", "Sqrt").Call(jen.Float64().Call(id("mean").Op("+").Id("eps")))),
				forEachOf("i", "v", id("in"), id("out").Index(id("i")).Op("=").Add(scaled)),
			),
		},
		needs: []string{"sumLanes"},
	}
}

func sumLanes() jen.Code {
	return docComment("sumLanes adds 16 partial sums as a tree: lane j and j+8, then j+4, j+2, j+1.").
		Func().Id("sumLanes").Params(id("lanes").Index(jen.Lit(kernel.GroupChannels)).Float32()).Float32().Block(
		jen.For(id("half").Op(":=").Lit(kernel.GroupChannels/2), id("half").Op(">").Lit(0), id("half").Op("/=").Lit(2)).Block(
			forEach("j", id("half"),
				id("lanes").Index(id("j")).Op("+=").Id("lanes").Index(id("j").Op("+").Id("half")),
			),
		),
		jen.Return(id("lanes").Index(jen.Lit(0))),
	)
}
