package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(gatednormTwin) }

// gatednormTwin leaves what it takes the mean of in y, so that y may be x or z.
func gatednormTwin(s kernel.GatedNorm) twin {
	doc := "y = g / √(mean(g²) + eps) · w with g = x·silu(z), token by token."
	first := rounded(id("in").Index(id("i")), id("silu").Call(id("gates").Index(id("i"))))
	weight := id("w").Index(id("i"))
	if s.Group > 0 {
		weight = id("w").Index(id("at").Op("+").Id("i"))
	}
	second := rounded(id("v"), id("scale")).Op("*").Add(weight)
	sources, scaled := id("out"), "out"
	if s.NormFirst {
		doc = "y = x / √(mean(x²) + eps) · w · silu(z), token by token."
		second = jen.Float32().Call(second).Op("*").Id("silu").Call(id("gates").Index(id("i")))
		sources, scaled = id("in"), "in"
	}
	names := append(normSizes(s.Width, s.Group), size{"strideX", s.StrideX}, size{"strideZ", s.StrideZ}, size{"strideY", s.StrideY}, size{"eps", s.Eps()})
	n, loop := normGroups(s.Group)
	body := []jen.Code{
		id("in").Op(":=").Add(from("x", groupRow("strideX", s.Group), id(n))),
		id("gates").Op(":=").Add(from("z", groupRow("strideZ", s.Group), id(n))),
		id("out").Op(":=").Add(from("y", groupRow("strideY", s.Group), id(n))),
	}
	if !s.NormFirst {
		body = append(body, forEach("i", id("out"), id("out").Index(id("i")).Op("=").Add(first)))
	}
	body = append(body,
		jen.Var().Id("lanes").Index(jen.Lit(kernel.GroupChannels)).Float32(),
		forEachOf("i", "v", sources,
			id("lanes").Index(id("i").Op("%").Len(id("lanes"))).Op("+=").Add(rounded(id("v"), id("v"))),
		),
		id("mean").Op(":=").Id("sumLanes").Call(id("lanes")).Op("/").Id(n),
		scaleOf("mean"),
		forEachOf("i", "v", id(scaled), id("out").Index(id("i")).Op("=").Add(second)),
	)
	return twin{
		doc:   doc,
		body:  []jen.Code{sizes(names...), forEach("t", id("tokens"), loop(body...)...)},
		needs: []string{"sumLanes", "silu"},
	}
}
