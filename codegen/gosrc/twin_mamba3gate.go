package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(mamba3GateTwin) }

func mamba3GateTwin(s kernel.Mamba3Gate) twin {
	t := twin{doc: "y = Σ_r mimoO_r·x_r·silu(z·mimoZ_r), token by token.", needs: []string{"silu"}}
	names := []size{{"width", s.Width}, {"headDim", s.HeadDim}, {"rank", s.Rank}, {"strideX", s.StrideX}, {"strideZ", s.StrideZ}, {"strideY", s.StrideY}}
	at := func() *jen.Statement { return id("r").Op("*").Id("headDim").Op("+").Id("p") }
	value := id("in").Index(at())
	head := []jen.Code{
		id("ranks").Op(":=").Id("at").Op("*").Id("rank"),
		id("in").Op(":=").Add(from("x", tokenRow("strideX").Op("+").Id("ranks"), id("rank").Op("*").Id("headDim"))),
	}
	if s.Norm {
		t.doc = "y = Σ_r mimoO_r·x_r / √(mean(x_r²) + eps)·w·silu(z·mimoZ_r), token by token."
		t.needs = append(t.needs, "sumLanes")
		names = append(names, size{"eps", s.Eps()})
		value = rounded(value, id("scales").Index(id("r"))).Op("*").Id("w").Index(id("e"))
		head = append(head,
			jen.Var().Id("scales").Index(id("rank")).Float32(),
			forEach("r", id("scales"),
				jen.Var().Id("lanes").Index(jen.Lit(kernel.GroupChannels)).Float32(),
				forEachOf("i", "v", from("in", id("r").Op("*").Id("headDim"), id("headDim")),
					id("lanes").Index(id("i").Op("%").Len(id("lanes"))).Op("+=").Add(rounded(id("v"), id("v")))),
				id("mean").Op(":=").Id("sumLanes").Call(id("lanes")).Op("/").Id("headDim"),
				scaleOf("mean"),
				id("scales").Index(id("r")).Op("=").Id("scale"),
			))
	}
	ranked := id("ranks").Op("+").Add(at())
	head = append(head, forEach("p", id("headDim"),
		id("e").Op(":=").Id("at").Op("+").Id("p"),
		id("gate").Op(":=").Id("z").Index(tokenRow("strideZ").Op("+").Id("e")),
		jen.Var().Id("sum").Float32(),
		forEach("r", id("rank"),
			id("value").Op(":=").Add(value).Op("*").Id("silu").Call(id("gate").Op("*").Id("mimoZ").Index(ranked.Clone())),
			id("sum").Op("+=").Add(rounded(id("value"), id("mimoO").Index(ranked.Clone()))),
		),
		id("y").Index(tokenRow("strideY").Op("+").Id("e")).Op("=").Id("sum"),
	))
	t.body = []jen.Code{
		sizes(names...),
		forEach("t", id("tokens"), jen.For(id("at").Op(":=").Lit(0), id("at").Op("<").Id("width"), id("at").Op("+=").Id("headDim")).Block(head...)),
	}
	return t
}
