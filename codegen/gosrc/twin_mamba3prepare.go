package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(mamba3PrepareTwin)
	registerSupport("heavyTail", heavyTail)
	registerSupport("turned", turned)
	registerSupport("rotated", func() jen.Code {
		return rotated("rotated", "the elements 2s and 2s+1", jen.Lit(2).Op("*").Id("s"), jen.Lit(2).Op("*").Id("s").Op("+").Lit(1))
	})
	registerSupport("rotatedHalves", func() jen.Code {
		return rotated("rotatedHalves", "the elements s and s + n/2 of n", id("s"), id("s").Op("+").Len(id("out")).Op("/").Lit(2))
	})
}

func mamba3PrepareTwin(s kernel.Mamba3Prepare) twin {
	ready := s.Ready()
	t := twin{
		doc:   "what depends on no state but angles, keys and values, which move on from token to token.",
		needs: []string{"exp", "softplus", "sigmoid", "turned"},
	}
	rate, rotation := "heavyTail", "rotated"
	value := func(base jen.Code) *jen.Statement { return jen.Add(base) }
	if s.Softplus {
		rate = "softplus"
	}
	if s.Halved {
		rotation = "rotatedHalves"
	}
	if s.Mimo {
		value = func(base jen.Code) *jen.Statement {
			return rounded(base, id("mimo").Index(id("ranked").Op("*").Id("headDim").Op("+").Id("p")))
		}
	}
	t.needs = append(t.needs, rate, rotation)
	t.body = []jen.Code{
		sizes(size{"headDim", s.HeadDim}, size{"rows", ready.Update().Rows()}, size{"states", s.States}, size{"rank", s.Rank}, size{"angles", s.Angles},
			size{"groups", s.Groups}, size{"perGroup", s.PerGroup}, size{"decayAt", ready.Update().Decay()}, size{"keys", ready.Key(0)},
			size{"size", ready.Floats()}, size{"strideReady", s.StrideReady}, size{"strideX", s.StrideX}, size{"strideB", s.StrideB}, size{"strideC", s.StrideC},
			size{"strideD", s.StrideD}, size{"strideA", s.StrideA}, size{"strideT", s.StrideT}, size{"strideAngle", s.StrideAngle}, size{"floor", s.Floor()}),
		jen.Var().List(id("sin"), id("cos")).Index(id("angles")).Float32(),
		forEach("i", id("heads"),
			id("group").Op(":=").Parens(id("first").Op("+").Id("i")).Op("/").Id("perGroup"),
			forEach("t", id("tokens"),
				id("row").Op(":=").Add(from("ready", tokenRow("strideReady").Op("+").Id("i").Op("*").Id("size"), id("size"))),
				jen.Clear(id("row").Index(jen.Empty(), id("decayAt"))),
				id("delta").Op(":=").Id("softplus").Call(id("dt").Index(tokenRow("strideD").Op("+").Id("i")).Op("+").Id("dtBias").Index(id("i"))),
				id("turned").Call(id("sin").Index(jen.Empty(), jen.Empty()), id("cos").Index(jen.Empty(), jen.Empty()),
					from("theta", id("i").Op("*").Id("angles"), id("angles")), from("angle", tokenRow("strideAngle"), id("angles")), id("delta")),
				id("rate").Op(":=").Min(jen.Op("-").Id(rate).Call(id("a").Index(tokenRow("strideA").Op("+").Id("i"))), jen.Op("-").Id("floor")),
				id("decay").Op(":=").Id("exp").Call(id("delta").Op("*").Id("rate")),
				id("lambda").Op(":=").Id("sigmoid").Call(id("trap").Index(tokenRow("strideT").Op("+").Id("i"))),
				jen.List(id("before"), id("now")).Op(":=").List(
					jen.Parens(jen.Lit(1).Op("-").Id("lambda")).Op("*").Id("delta").Op("*").Id("decay"), id("lambda").Op("*").Id("delta")),
				id("row").Index(id("decayAt")).Op("=").Id("decay"),
				forEach("r", id("rank"), mamba3Rank(rotation, value)...),
				jen.Copy(from("v", id("i").Op("*").Id("headDim"), id("headDim")), id("x").Index(tokenRow("strideX").Op("+").Id("i").Op("*").Id("headDim"), jen.Empty())),
			),
		),
	}
	return t
}

// mamba3Rank is one rank of one token of a head.
func mamba3Rank(rotation string, value func(jen.Code) *jen.Statement) []jen.Code {
	key := func(n jen.Code) *jen.Statement {
		return from("row", id("keys").Op("+").Parens(jen.Add(n)).Op("*").Id("states"), id("states"))
	}
	turn := func(to, of, stride, bias string) jen.Code {
		return id(rotation).Call(id(to), from(of, tokenRow(stride).Op("+").Parens(id("r").Op("*").Id("groups").Op("+").Id("group")).Op("*").Id("states"), id("states")),
			from(bias, id("ranked").Op("*").Id("states"), id("states")),
			id("sin").Index(jen.Empty(), jen.Empty()), id("cos").Index(jen.Empty(), jen.Empty()))
	}
	input := func(n jen.Code) *jen.Statement {
		return id("row").Index(jen.Add(n).Op("*").Id("rows").Op("+").Id("p"))
	}
	element := id("i").Op("*").Id("headDim").Op("+").Id("p")
	return []jen.Code{
		id("ranked").Op(":=").Id("i").Op("*").Id("rank").Op("+").Id("r"),
		id("kept").Op(":=").Add(from("k", id("ranked").Op("*").Id("states"), id("states"))),
		jen.Copy(key(id("r")), id("kept")),
		jen.List(id("fresh"), id("query")).Op(":=").List(key(id("rank").Op("+").Id("r")), key(jen.Lit(2).Op("*").Id("rank").Op("+").Id("r"))),
		turn("fresh", "b", "strideB", "biasB"),
		turn("query", "c", "strideC", "biasC"),
		jen.Copy(id("kept"), id("fresh")),
		forEach("p", id("headDim"),
			id("in").Op(":=").Add(value(id("x").Index(tokenRow("strideX").Op("+").Add(element)))),
			id("last").Op(":=").Add(value(id("v").Index(element.Clone()))),
			input(id("r")).Op("=").Id("before").Op("*").Id("last"),
			input(jen.Parens(id("rank").Op("+").Id("r"))).Op("=").Id("now").Op("*").Id("in"),
			input(jen.Parens(jen.Lit(2).Op("*").Id("rank").Op("+").Id("r"))).Op("=").Id("d").Index(id("i")).Op("*").Id("in"),
		),
	}
}

func heavyTail() jen.Code {
	return docComment("heavyTail is 1 + a above 0 and 1/(1−a) below.").
		Func().Id("heavyTail").Params(id("a").Float32()).Float32().Block(
		jen.Return(jen.Max(id("a"), jen.Lit(0)).Op("+").Lit(1).Op("/").Parens(jen.Lit(1).Op("-").Min(id("a"), jen.Lit(0)))),
	)
}

// turned computes in float64: a sum of many small angles would lose them.
func turned() jen.Code {
	const circle = "circle"
	wide := func(v jen.Code) *jen.Statement { return jen.Float64().Call(v) }
	return docComment("turned turns the angles theta by π·tanh(angle)·delta, and gives their sines and cosines.").
		Func().Id("turned").Params(jen.List(id("sin"), id("cos"), id("theta"), id("angle")).Index().Float32(), id("delta").Float32()).Block(
		jen.Const().Id(circle).Op("=").Lit(2).Op("*").Qual("math", "Pi"),
		forEach("s", id("theta"),
			id("by").Op(":=").Add(wide(jen.Qual("math", "Pi").Op("*").Qual("math", "Tanh").Call(wide(id("angle").Index(id("s")))))),
			id("to").Op(":=").Add(wide(id("theta").Index(id("s")))).Op("+").Add(wide(id("by").Op("*").Add(wide(id("delta"))))),
			id("to").Op("-=").Add(wide(id(circle).Op("*").Qual("math", "Floor").Call(id("to").Op("/").Id(circle)))),
			id("theta").Index(id("s")).Op("=").Float32().Call(id("to")),
			jen.List(id("y"), id("x")).Op(":=").Qual("math", "Sincos").Call(wide(id("theta").Index(id("s")))),
			jen.List(id("sin").Index(id("s")), id("cos").Index(id("s"))).Op("=").List(jen.Float32().Call(id("y")), jen.Float32().Call(id("x"))),
		),
	)
}

// rotated adds a bias and turns pairs of elements.
func rotated(name, which string, i, j jen.Code) jen.Code {
	product := func(v, factor string) *jen.Statement { return rounded(id(v), id(factor).Index(id("s"))) }
	return docComment(name+" is in + bias with "+which+" turned by angle s.").
		Func().Id(name).Params(jen.List(id("out"), id("in"), id("bias"), id("sin"), id("cos")).Index().Float32()).Block(
		forEach("n", id("out"), id("out").Index(id("n")).Op("=").Id("in").Index(id("n")).Op("+").Id("bias").Index(id("n"))),
		forEach("s", id("cos"),
			jen.List(id("i"), id("j")).Op(":=").List(i, j),
			jen.List(id("a"), id("b")).Op(":=").List(id("out").Index(id("i")), id("out").Index(id("j"))),
			jen.List(id("out").Index(id("i")), id("out").Index(id("j"))).Op("=").List(
				product("a", "cos").Op("-").Add(product("b", "sin")), product("a", "sin").Op("+").Add(product("b", "cos"))),
		),
	)
}
