package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(keepTwin)
	registerSupport("pageTokens", func() jen.Code {
		return docComment("pageTokens is the number of tokens on a page of a cache.").
			Const().Id("pageTokens").Op("=").Lit(kernel.PageTokens)
	})
	registerSupport("keepFloats", keepFloats)
	registerSupport("keepHalves", keepHalves, "roundF16")
	registerSupport("keepNumbers", keepNumbers, "roundBF16", "nearest")
	registerSupport("roundF16", roundF16)
}

// keepers are the functions that write a row of a storage, and what they call it.
var keepers = map[kernel.Storage]struct{ function, row string }{
	"":          {"keepFloats", ""},
	kernel.F16:  {"keepHalves", " as pairs of halves"},
	kernel.Int8: {"keepNumbers", " as whole numbers and their scale"},
}

func keepTwin(s kernel.Keep) twin {
	keep := keepers[s.Storage]
	first, step, order := id("slot").Op("+").Id("t"), id("pageTokens"), "a column"
	if !s.Columns {
		first, step, order = jen.Parens(first).Op("*").Lit(s.Row()), jen.Lit(1), "a row"
	}
	place := id("h").Op("*").Id("headWords").Op("+").Add(first)
	if s.Scales() > 0 {
		place = place.Op("+").Id("pageTokens")
	}
	write := jen.Id(keep.function).Call(id("page").Index(place, jen.Empty()),
		from("x", tokenRow("strideX").Op("+").Id("h").Op("*").Id("headDim"), id("headDim")), step)
	if s.Scales() > 0 {
		write = id("page").Index(id("h").Op("*").Id("headWords").Op("+").Id("slot").Op("+").Id("t")).Op("=").Add(write)
	}
	return twin{
		doc:   "keys or values of a run of tokens to a page of a cache, " + order + " a token" + keep.row + ".",
		needs: []string{"pageTokens", keep.function},
		body: []jen.Code{
			sizes(size{"headDim", s.HeadDim}, size{"strideX", s.StrideX}, size{"headWords", s.HeadWords()}),
			forEach("t", id("tokens"), forEach("h", id("heads"), write)),
		},
	}
}

// keeper is a function that writes a row, step float32 apart.
func keeper(name string, body ...jen.Code) *jen.Statement {
	return jen.Func().Id(name).Params(jen.List(id("out"), id("x")).Index().Float32(), id("step").Int()).Block(body...)
}

func keepFloats() jen.Code {
	return docComment("keepFloats writes numbers step float32 apart.").Add(keeper("keepFloats",
		forEachOf("d", "v", id("x"), id("out").Index(id("d").Op("*").Id("step")).Op("=").Id("v")),
	))
}

func keepHalves() jen.Code {
	half := func(d jen.Code) *jen.Statement {
		return jen.Uint32().Call(id("roundF16").Call(id("x").Index(d)))
	}
	next := id("d").Op("+").Lit(1)
	return docComment("keepHalves writes pairs of halves, step float32 apart.").Add(keeper("keepHalves",
		jen.For(id("d").Op(":=").Lit(0), id("d").Op("<").Len(id("x")), id("d").Op("+=").Lit(2)).Block(
			id("pair").Op(":=").Add(half(id("d"))),
			jen.If(next.Clone().Op("<").Len(id("x"))).Block(id("pair").Op("|=").Add(half(next)).Op("<<").Lit(16)),
			id("out").Index(id("d").Op("/").Lit(2).Op("*").Id("step")).Op("=").Qual("math", "Float32frombits").Call(id("pair")),
		),
	))
}

func keepNumbers() jen.Code {
	four := id("x").Index(id("d"), jen.Min(id("d").Op("+").Lit(4), jen.Len(id("x"))))
	return docComment("keepNumbers writes whole numbers, four in a float32, step float32 apart, and gives", "their scale.").
		Func().Id("keepNumbers").Params(jen.List(id("out"), id("x")).Index().Float32(), id("step").Int()).Float32().Block(
		id("most").Op(":=").Float32().Call(jen.Lit(0)),
		forEachOf("_", "v", id("x"),
			jen.If(id("size").Op(":=").Float32().Call(jen.Qual("math", "Abs").Call(jen.Float64().Call(id("v")))), id("size").Op(">").Id("most")).Block(
				id("most").Op("=").Id("size"))),
		id("scale").Op(":=").Id("roundBF16").Call(jen.Min(id("most"), jen.Qual("math", "MaxFloat32")).Op("/").Lit(127)),
		jen.If(id("scale").Op("<").Id("0x1p-126")).Block(id("scale").Op("=").Lit(0)),
		jen.For(id("d").Op(":=").Lit(0), id("d").Op("<").Len(id("x")), id("d").Op("+=").Lit(4)).Block(
			jen.Var().Id("numbers").Uint32(),
			forEachOf("i", "v", four,
				jen.If(id("scale").Op(">").Lit(0)).Block(
					id("numbers").Op("|=").Uint32().Call(jen.Uint8().Call(id("nearest").Call(id("v").Op("/").Id("scale")))).Op("<<").Parens(jen.Lit(8).Op("*").Id("i"))),
			),
			id("out").Index(id("d").Op("/").Lit(4).Op("*").Id("step")).Op("=").Qual("math", "Float32frombits").Call(id("numbers")),
		),
		jen.Return(id("scale")),
	)
}

// roundF16 lets an addition round what is less than the least normal half: the
// sum's last bit is that of a denormal half.
func roundF16() jen.Code {
	half := func(bits jen.Code) jen.Code { return jen.Return(id("sign").Op("|").Uint16().Call(bits)) }
	return docComment("roundF16 is the nearest IEEE half, ties to even; what is beyond the largest", "becomes that, NaN stays NaN.").
		Func().Id("roundF16").Params(id("v").Float32()).Uint16().Block(
		id("bits").Op(":=").Add(bitsOf(id("v"))),
		jen.List(id("sign"), id("rest")).Op(":=").List(jen.Uint16().Call(id("bits").Op(">>").Lit(16)).Op("&").Id("0x8000"), id("bits").Op("&").Id("0x7fffffff")),
		jen.Switch().Block(
			jen.Case(id("rest").Op(">").Id("0x7f800000")).Block(half(id("0x7e00"))),
			jen.Case(id("rest").Op(">").Id("0x477fe000")).Block(half(id("0x7bff"))),
			jen.Case(id("rest").Op("<").Id("0x38800000")).Block(
				half(bitsOf(jen.Qual("math", "Float32frombits").Call(id("rest")).Op("+").Lit(0.5)).Op("-").Id("0x3f000000"))),
		),
		half(jen.Parens(id("rest").Op("-").Id("0x38000000").Op("+").Id("0xfff").Op("+").Id("rest").Op(">>").Lit(13).Op("&").Lit(1)).Op(">>").Lit(13)),
	)
}
