package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(attendTwin)
	for _, in := range cachedIn {
		registerSupport(in.name, func() jen.Code { return attendPage(in) }, append([]string{"pageTokens", "exp", "sumLanes"}, in.needs...)...)
	}
	registerSupport("halfOf", halfOf, widenName(kernel.F16))
	registerSupport("numberOf", numberOf)
}

func attendTwin(s kernel.Attend) twin {
	window := id("from").Op(":=").Lit(0)
	if s.Window > 0 {
		window = id("from").Op(":=").Max(jen.Lit(0), id("at").Op("-").Lit(s.Window-1))
	}
	in := cachedIn[s.Storage]
	return twin{
		doc:   "a page's part of attention: y = softmax(scale·q·K)·V over the pages so far.",
		needs: []string{in.name},
		body: []jen.Code{
			sizes(size{"headDim", s.HeadDim}, size{"group", s.Group}, size{"strideQ", s.StrideQ}, size{"strideY", s.StrideY}, size{"scale", s.Scale()}),
			forEach("t", id("tokens"),
				id("at").Op(":=").Id("position").Op("+").Id("t"),
				window,
				id("lo").Op(",").Id("hi").Op(":=").List(jen.Max(jen.Lit(0), id("from").Op("-").Id("base")), jen.Min(id("pageTokens"), id("at").Op("+").Lit(1).Op("-").Id("base"))),
				jen.If(id("lo").Op(">=").Id("hi")).Block(jen.Continue()),
				forEach("g", id("group"),
					jen.List(id("head"), id("sums")).Op(":=").List(id("g").Op("*").Id("headDim"), id("stats").Index(jen.Lit(2).Op("*").Parens(id("t").Op("*").Id("group").Op("+").Id("g")), jen.Empty())),
					jen.Id(in.name).Call(
						from("y", tokenRow("strideY").Op("+").Id("head"), id("headDim")), from("q", tokenRow("strideQ").Op("+").Id("head"), id("headDim")),
						id("keys"), id("values"), id("sums"), id("scratch").Index(jen.Empty(), id("pageTokens")), id("scale"),
						id("lo"), id("hi"), id("from").Op(">=").Id("base"), id("at").Op("<").Id("base").Op("+").Id("pageTokens"),
					),
				),
			),
		},
	}
}

// cached is how a page of a cache is read: element d of the key of slot j, and
// that of the value. With scales those of the slots stand before both.
type cached struct {
	name       string
	key, value *jen.Statement
	scales     bool
	needs      []string
}

// cachedIn is how a page is read that holds a storage.
var cachedIn = map[kernel.Storage]cached{
	"": {
		name:  "attendPage",
		key:   id("keys").Index(id("d").Op("*").Id("pageTokens").Op("+").Id("j")),
		value: id("values").Index(id("j").Op("*").Len(id("y")).Op("+").Id("d")),
	},
	kernel.F16:  packedPage("attendHalves", "halfOf", 2, false),
	kernel.Int8: packedPage("attendNumbers", "numberOf", 4, true),
}

// packedPage is how a page is read whose float32 hold several elements, of which
// element finds one.
func packedPage(name, element string, perWord int, scales bool) cached {
	row := jen.Parens(jen.Len(id("y")).Op("+").Lit(kernel.GroupChannels - 1)).Op("/").Lit(kernel.GroupChannels).Op("*").Lit(kernel.GroupChannels / perWord)
	read := func(array string, at *jen.Statement) *jen.Statement {
		if scales {
			at = id("pageTokens").Op("+").Add(at)
		}
		return id(element).Call(id(array).Index(at), id("d"))
	}
	word := func() *jen.Statement { return id("d").Op("/").Lit(perWord) }
	return cached{
		name: name, scales: scales, needs: []string{element},
		key:   read("keys", word().Op("*").Id("pageTokens").Op("+").Id("j")),
		value: read("values", id("j").Op("*").Parens(row).Op("+").Add(word())),
	}
}

// halfOf is an element of a pair of a page.
func halfOf() jen.Code {
	return docComment("halfOf is element d of a row, of which a word holds a pair of halves.").
		Func().Id("halfOf").Params(id("pair").Float32(), id("d").Int()).Float32().Block(
		jen.Return(id(widenName(kernel.F16)).Call(jen.Uint16().Call(bitsOf(id("pair")).Op(">>").Parens(id("d").Op("%").Lit(2).Op("*").Lit(16))))),
	)
}

// numberOf is a whole number of four of a page.
func numberOf() jen.Code {
	return docComment("numberOf is element d of a row, of which a word holds four whole numbers.").
		Func().Id("numberOf").Params(id("four").Float32(), id("d").Int()).Float32().Block(
		jen.Return(jen.Float32().Call(jen.Int8().Call(bitsOf(id("four")).Op(">>").Parens(id("d").Op("%").Lit(4).Op("*").Lit(8))))),
	)
}

// attendPage is one head of queries of one token.
func attendPage(in cached) jen.Code {
	at := func(s string, i jen.Code) *jen.Statement { return id(s).Index(i) }
	return docComment(in.name+" is one page's part of attention for one head of queries: slots lo to",
		"hi−1 are seen. stats hold the greatest score and the sum of exponentials so far.").
		Func().Id(in.name).Params(
		jen.List(id("y"), id("q"), id("keys"), id("values"), id("stats"), id("p")).Index().Float32(),
		id("scale").Float32(), jen.List(id("lo"), id("hi")).Int(), jen.List(id("first"), id("last")).Bool(),
	).Block(
		id("greatest").Op(":=").Float32().Call(jen.Qual("math", "Inf").Call(jen.Lit(-1))),
		jen.If(jen.Op("!").Id("first")).Block(id("greatest").Op("=").Add(at("stats", jen.Lit(0)))),
		forEachOf("j", "_", id("p"),
			jen.Var().Id("s").Float32(),
			forEachOf("d", "x", id("q"), id("s").Op("+=").Add(rounded(id("x"), in.key))),
			at("p", id("j")).Op("=").Add(in.score()),
			jen.If(id("j").Op(">=").Id("lo").Op("&&").Id("j").Op("<").Id("hi")).Block(
				id("greatest").Op("=").Max(id("greatest"), at("p", id("j")))),
		),
		jen.Var().Id("lanes").Index(jen.Lit(kernel.GroupChannels)).Float32(),
		forEachOf("j", "s", id("p"),
			at("p", id("j")).Op("=").Lit(0),
			jen.If(id("j").Op(">=").Id("lo").Op("&&").Id("j").Op("<").Id("hi")).Block(
				at("p", id("j")).Op("=").Id("exp").Call(id("s").Op("-").Id("greatest"))),
			at("lanes", id("j").Op("%").Len(id("lanes"))).Op("+=").Add(at("p", id("j"))),
			in.weigh(),
		),
		id("sum").Op(":=").Id("sumLanes").Call(id("lanes")),
		jen.If(id("first")).Block(jen.Clear(id("y"))).Else().Block(
			id("decay").Op(":=").Id("exp").Call(at("stats", jen.Lit(0)).Op("-").Id("greatest")),
			id("sum").Op("+=").Add(rounded(at("stats", jen.Lit(1)), id("decay"))),
			forEachOf("d", "_", id("y"), at("y", id("d")).Op("*=").Id("decay")),
		),
		jen.List(at("stats", jen.Lit(0)), at("stats", jen.Lit(1))).Op("=").List(id("greatest"), id("sum")),
		forEachOf("j", "w", id("p"),
			forEachOf("d", "_", id("y"),
				at("y", id("d")).Op("+=").Add(rounded(id("w"), in.value))),
		),
		jen.If(id("last")).Block(
			forEachOf("d", "_", id("y"), at("y", id("d")).Op("/=").Id("sum"))),
	)
}

// score is what slot j has of the scale and of its key's.
func (in cached) score() *jen.Statement {
	s := id("s").Op("*").Id("scale")
	if in.scales {
		s.Op("*").Id("keys").Index(id("j"))
	}
	return s
}

// weigh gives the exponential of slot j the scale of its value.
func (in cached) weigh() jen.Code {
	if !in.scales {
		return jen.Null()
	}
	return id("p").Index(id("j")).Op("*=").Id("values").Index(id("j"))
}
