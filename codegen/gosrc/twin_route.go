package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(routeTwin)
	registerSupport("take", take)
}

// routeTwin chooses in float64, as the routers of the original implementations
// are rounded once: scores that are all but equal decide which experts run.
func routeTwin(s kernel.Route) twin {
	names := []size{{"experts", s.Experts}, {"top", s.Top}, {"strideX", s.StrideX}, {"strideY", s.StrideY}, {"factor", s.Factor()}}
	body := []jen.Code{
		id("out").Op(":=").Add(from("y", tokenRow("strideY"), id("experts"))),
		jen.Clear(id("out")),
		jen.Var().List(id("score"), id("weight")).Index(id("experts")).Float64(),
		jen.Var().Id("open").Index(id("experts")).Bool(),
	}
	if s.Router == "sigmoid" {
		names = append(names, size{"groups", s.Groups}, size{"topGroups", s.TopGroups})
		body = append(body, sigmoidScores(s)...)
	} else {
		body = append(body, softmaxScores(s)...)
	}
	return twin{
		doc:   "y = the weights of the experts that router logits x choose, 0 for the others.",
		needs: []string{"take"},
		body:  []jen.Code{sizes(names...), forEach("t", id("tokens"), body...)},
	}
}

// logit is router logit i of the token.
func logit() *jen.Statement {
	return jen.Float64().Call(id("x").Index(tokenRow("strideX").Op("+").Id("i")))
}

// takeTop marks the chosen as closed and runs what is to be done with each, i.
func takeTop(body ...jen.Code) jen.Code {
	return jen.For(jen.Range().Id("top")).Block(append([]jen.Code{id("i").Op(":=").Id("take").Call(id("score").Index(jen.Op(":")), id("open").Index(jen.Op(":")))}, body...)...)
}

// softmaxScores compares logits: the exponential changes no order.
func softmaxScores(s kernel.Route) []jen.Code {
	sum := id("sum").Op("+=").Id("weight").Index(id("i"))
	body := []jen.Code{
		id("greatest").Op(":=").Qual("math", "Inf").Call(jen.Lit(-1)),
		forEach("i", id("score"),
			jen.List(id("score").Index(id("i")), id("open").Index(id("i"))).Op("=").List(logit(), jen.True()),
			id("greatest").Op("=").Max(id("greatest"), id("score").Index(id("i")))),
		jen.Var().Id("sum").Float64(),
	}
	exponential := []jen.Code{id("weight").Index(id("i")).Op("=").Qual("math", "Exp").Call(id("score").Index(id("i")).Op("-").Id("greatest"))}
	if s.Router == "softmax" {
		exponential = append(exponential, sum.Clone())
	}
	body = append(body, forEach("i", id("weight"), exponential...))
	chosen := []jen.Code{}
	if s.Router != "softmax" {
		chosen = append(chosen, sum.Clone())
	}
	body = append(body, takeTop(append(chosen, id("out").Index(id("i")).Op("=").Lit(1))...))
	return append(body, forEachOf("i", "taken", id("out"),
		id("out").Index(id("i")).Op("=").Id("taken").Op("*").Float32().Call(id("weight").Index(id("i")).Op("/").Id("sum").Op("*").Float64().Call(id("factor")))))
}

// sigmoidScores opens the best groups, then compares scores with their bias.
func sigmoidScores(s kernel.Route) []jen.Code {
	score := id("weight").Index(id("i"))
	if s.Bias {
		score = score.Op("+").Float64().Call(id("bias").Index(id("i")))
	}
	body := []jen.Code{
		forEach("i", id("score"),
			id("weight").Index(id("i")).Op("=").Lit(1).Op("/").Parens(jen.Lit(1).Op("+").Qual("math", "Exp").Call(jen.Op("-").Add(logit()))),
			id("score").Index(id("i")).Op("=").Add(score)),
	}
	if s.Groups == 1 {
		body = append(body, forEach("i", id("open"), id("open").Index(id("i")).Op("=").True()))
	} else {
		body = append(body, openGroups()...)
	}
	chosen := []jen.Code{id("out").Index(id("i")).Op("=").Lit(1)}
	share := id("weight").Index(id("i")).Op("*").Float64().Call(id("factor"))
	if s.Renorm {
		body = append(body, id("sum").Op(":=").Lit(1e-20))
		chosen = append(chosen, id("sum").Op("+=").Id("weight").Index(id("i")))
		share = id("weight").Index(id("i")).Op("/").Id("sum").Op("*").Float64().Call(id("factor"))
	}
	body = append(body, takeTop(chosen...))
	return append(body, forEachOf("i", "taken", id("out"), id("out").Index(id("i")).Op("=").Id("taken").Op("*").Float32().Call(share)))
}

// openGroups opens the experts of the groups whose two greatest scores have the
// greatest sums.
func openGroups() []jen.Code {
	part := func(list string) *jen.Statement {
		return id(list).Index(id("g").Op("*").Id("each"), jen.Empty()).Index(jen.Empty(), id("each"))
	}
	return []jen.Code{
		jen.Const().Id("each").Op("=").Id("experts").Op("/").Id("groups"),
		jen.Var().Id("sums").Index(id("groups")).Float64(),
		jen.Var().Id("left").Index(id("groups")).Bool(),
		forEach("g", id("sums"),
			id("left").Index(id("g")).Op("=").True(),
			jen.Var().Id("untaken").Index(id("each")).Bool(),
			forEach("i", id("untaken"), id("untaken").Index(id("i")).Op("=").True()),
			jen.For(jen.Range().Min(jen.Lit(2), id("each"))).Block(
				id("sums").Index(id("g")).Op("+=").Add(part("score")).Index(id("take").Call(part("score"), id("untaken").Index(jen.Op(":"))))),
		),
		jen.For(jen.Range().Id("topGroups")).Block(
			id("g").Op(":=").Id("take").Call(id("sums").Index(jen.Op(":")), id("left").Index(jen.Op(":"))),
			forEach("i", part("open"), id("open").Index(id("g").Op("*").Id("each").Op("+").Id("i")).Op("=").True()),
		),
	}
}

// take is the support function that finds the greatest of what is open.
func take() jen.Code {
	return docComment("take closes the greatest score that is open, the first of equals, and gives its", "index; one must be open.").
		Func().Id("take").Params(id("score").Index().Float64(), id("open").Index().Bool()).Int().Block(
		id("best").Op(":=").Lit(-1),
		forEachOf("i", "s", id("score"),
			jen.If(id("open").Index(id("i")).Op("&&").Parens(id("best").Op("<").Lit(0).Op("||").Id("s").Op(">").Id("score").Index(id("best")))).Block(
				id("best").Op("=").Id("i")),
		),
		id("open").Index(id("best")).Op("=").False(),
		jen.Return(id("best")),
	)
}
