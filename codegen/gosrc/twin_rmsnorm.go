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
		scaled = rounded(id("v"), id("scale")).Op("*").Id("w").Index(weightAt(s))
	} else {
		doc = "y = x / √(mean(x²) + eps), token by token."
	}
	names := append(normSizes(s.Width, s.Group), size{"strideX", s.StrideX}, size{"strideY", s.StrideY}, size{"eps", s.Eps()})
	n, loop := normGroups(s.Group)
	return twin{
		doc: doc,
		body: []jen.Code{
			sizes(names...),
			forEach("t", id("tokens"), loop(
				jen.List(id("in"), id("out")).Op(":=").List(from("x", groupRow("strideX", s.Group), id(n)), from("y", groupRow("strideY", s.Group), id(n))),
				jen.Var().Id("lanes").Index(jen.Lit(kernel.GroupChannels)).Float32(),
				forEachOf("i", "v", id("in"),
					id("lanes").Index(id("i").Op("%").Len(id("lanes"))).Op("+=").Add(rounded(id("v"), id("v"))),
				),
				id("mean").Op(":=").Id("sumLanes").Call(id("lanes")).Op("/").Id(n),
				scaleOf("mean"),
				forEachOf("i", "v", id("in"), id("out").Index(id("i")).Op("=").Add(scaled)),
			)...),
		},
		needs: []string{"sumLanes"},
	}
}

// weightAt is where the weight of element i of the group at hand lies.
func weightAt(s kernel.RMSNorm) jen.Code {
	if s.Group == 0 || s.Shared {
		return id("i")
	}
	return id("at").Op("+").Id("i")
}

// normSizes are the sizes of a norm of groups, or of the whole width.
func normSizes(width, group int) []size {
	if group == 0 {
		return []size{{"width", width}}
	}
	return []size{{"width", width}, {"group", group}}
}

// normGroups is the name of the number of elements of a mean, and the loop over
// the groups of a row, in which each begins at element at: none if there is only
// one.
func normGroups(group int) (n string, loop func(body ...jen.Code) []jen.Code) {
	if group == 0 {
		return "width", func(body ...jen.Code) []jen.Code { return body }
	}
	return "group", func(body ...jen.Code) []jen.Code {
		return []jen.Code{jen.For(id("at").Op(":=").Lit(0), id("at").Op("<").Id("width"), id("at").Op("+=").Id("group")).Block(body...)}
	}
}

// groupRow is where the group at hand of a token's row starts.
func groupRow(stride string, group int) *jen.Statement {
	if group == 0 {
		return tokenRow(stride)
	}
	return tokenRow(stride).Op("+").Id("at")
}

// scaleOf declares 1/√(mean + eps).
func scaleOf(mean string) jen.Code {
	return id("scale").Op(":=").Lit(1).Op("/").Float32().Call(jen.Qual("math", "Sqrt").Call(jen.Float64().Call(id(mean).Op("+").Id("eps"))))
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
