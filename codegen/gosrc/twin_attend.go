package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(attendTwin)
	registerSupport("attendPage", attendPage, "pageTokens", "exp", "sumLanes")
}

func attendTwin(s kernel.Attend) twin {
	window := id("from").Op(":=").Lit(0)
	if s.Window > 0 {
		window = id("from").Op(":=").Max(jen.Lit(0), id("at").Op("-").Lit(s.Window-1))
	}
	return twin{
		doc:   "a page's part of attention: y = softmax(scale·q·K)·V over the pages so far.",
		needs: []string{"attendPage"},
		body: []jen.Code{
			sizes(size{"headDim", s.HeadDim}, size{"group", s.Group}, size{"strideQ", s.StrideQ}, size{"strideY", s.StrideY}, size{"scale", s.Scale()}),
			forEach("t", id("tokens"),
				id("at").Op(":=").Id("position").Op("+").Id("t"),
				window,
				id("lo").Op(",").Id("hi").Op(":=").List(jen.Max(jen.Lit(0), id("from").Op("-").Id("base")), jen.Min(id("pageTokens"), id("at").Op("+").Lit(1).Op("-").Id("base"))),
				jen.If(id("lo").Op(">=").Id("hi")).Block(jen.Continue()),
				forEach("g", id("group"),
					jen.List(id("head"), id("sums")).Op(":=").List(id("g").Op("*").Id("headDim"), id("stats").Index(jen.Lit(2).Op("*").Parens(id("t").Op("*").Id("group").Op("+").Id("g")), jen.Empty())),
					jen.Id("attendPage").Call(
						from("y", tokenRow("strideY").Op("+").Id("head"), id("headDim")), from("q", tokenRow("strideQ").Op("+").Id("head"), id("headDim")),
						id("keys"), id("values"), id("sums"), id("scratch").Index(jen.Empty(), id("pageTokens")), id("scale"),
						id("lo"), id("hi"), id("from").Op(">=").Id("base"), id("at").Op("<").Id("base").Op("+").Id("pageTokens"),
					),
				),
			),
		},
	}
}

// attendPage is one head of queries of one token.
func attendPage() jen.Code {
	at := func(s string, i jen.Code) *jen.Statement { return id(s).Index(i) }
	return docComment("attendPage is one page's part of attention for one head of queries: slots lo to",
		"hi−1 are seen. stats hold the greatest score and the sum of exponentials so far.").
		Func().Id("attendPage").Params(
		jen.List(id("y"), id("q"), id("keys"), id("values"), id("stats"), id("p")).Index().Float32(),
		id("scale").Float32(), jen.List(id("lo"), id("hi")).Int(), jen.List(id("first"), id("last")).Bool(),
	).Block(
		id("greatest").Op(":=").Float32().Call(jen.Qual("math", "Inf").Call(jen.Lit(-1))),
		jen.If(jen.Op("!").Id("first")).Block(id("greatest").Op("=").Add(at("stats", jen.Lit(0)))),
		forEachOf("j", "_", id("p"),
			jen.Var().Id("s").Float32(),
			forEachOf("d", "x", id("q"), id("s").Op("+=").Add(rounded(id("x"), at("keys", id("d").Op("*").Id("pageTokens").Op("+").Id("j"))))),
			at("p", id("j")).Op("=").Id("s").Op("*").Id("scale"),
			jen.If(id("j").Op(">=").Id("lo").Op("&&").Id("j").Op("<").Id("hi")).Block(
				id("greatest").Op("=").Max(id("greatest"), at("p", id("j")))),
		),
		jen.Var().Id("lanes").Index(jen.Lit(kernel.GroupChannels)).Float32(),
		forEachOf("j", "s", id("p"),
			at("p", id("j")).Op("=").Lit(0),
			jen.If(id("j").Op(">=").Id("lo").Op("&&").Id("j").Op("<").Id("hi")).Block(
				at("p", id("j")).Op("=").Id("exp").Call(id("s").Op("-").Id("greatest"))),
			at("lanes", id("j").Op("%").Len(id("lanes"))).Op("+=").Add(at("p", id("j"))),
		),
		id("sum").Op(":=").Id("sumLanes").Call(id("lanes")),
		jen.If(id("first")).Block(jen.Clear(id("y"))).Else().Block(
			id("decay").Op(":=").Id("exp").Call(at("stats", jen.Lit(0)).Op("-").Id("greatest")),
			id("sum").Op("+=").Add(rounded(at("stats", jen.Lit(1)), id("decay"))),
			forEachOf("d", "_", id("y"), at("y", id("d")).Op("*=").Id("decay")),
		),
		jen.List(at("stats", jen.Lit(0)), at("stats", jen.Lit(1))).Op("=").List(id("greatest"), id("sum")),
		forEachOf("j", "w", id("p"),
			forEachOf("d", "v", from("values", id("j").Op("*").Len(id("y")), jen.Len(id("y"))),
				at("y", id("d")).Op("+=").Add(rounded(id("w"), id("v")))),
		),
		jen.If(id("last")).Block(
			forEachOf("d", "_", id("y"), at("y", id("d")).Op("/=").Id("sum"))),
	)
}
