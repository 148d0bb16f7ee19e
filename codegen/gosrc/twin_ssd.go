package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(ssdTwin) }

func ssdTwin(s kernel.SSD) twin {
	names := []size{
		{"headDim", s.HeadDim}, {"rows", s.Update().Rows()}, {"states", s.States}, {"perGroup", s.PerGroup},
		{"strideU", s.StrideU}, {"strideBC", s.StrideBC}, {"offsetB", s.OffsetB}, {"offsetC", s.OffsetC},
		{"strideD", s.StrideD}, {"strideY", s.StrideY},
	}
	delta := id("softplus").Call(id("dt").Index(tokenRow("strideD").Op("+").Id("i")).Op("+").Id("dtBias").Index(id("i")))
	if s.Low() > 0 {
		names = append(names, size{"low", s.Low()})
		delta = jen.Max(delta, id("low"))
	}
	if s.High() > 0 {
		names = append(names, size{"high", s.High()})
		delta = jen.Min(delta, id("high"))
	}
	group := func(offset string) jen.Code {
		return from("bc", tokenRow("strideBC").Op("+").Id(offset).Op("+").Id("group"), id("states"))
	}
	return twin{
		doc:   "the scan h = exp(a·Δ)·h + Δ·u·B, y = d·u + Σ h·C, of a run of heads.",
		needs: []string{"groupChannels", "exp", "softplus"},
		body: []jen.Code{
			sizes(names...),
			forEach("i", id("heads"),
				id("group").Op(":=").Parens(id("first").Op("+").Id("i")).Op("/").Id("perGroup").Op("*").Id("states"),
				forEach("t", id("tokens"),
					jen.List(id("b"), id("c")).Op(":=").List(group("offsetB"), group("offsetC")),
					id("delta").Op(":=").Add(delta),
					id("decay").Op(":=").Id("exp").Call(id("delta").Op("*").Id("a").Index(id("i"))),
					forEach("p", id("headDim"), ssdElement(s)...),
				),
			),
		},
	}
}

// ssdElement is one token of one row of a head.
func ssdElement(s kernel.SSD) []jen.Code {
	d := id("d").Index(id("i"))
	if s.Elements {
		d = id("d").Index(id("e"))
	}
	at := id("j").Op("*").Id("groupChannels")
	state := func() *jen.Statement { return id("state").Index(at.Clone()) }
	return []jen.Code{
		id("e").Op(":=").Id("i").Op("*").Id("headDim").Op("+").Id("p"),
		id("in").Op(":=").Id("u").Index(tokenRow("strideU").Op("+").Id("e")),
		jen.List(id("scaled"), id("sum")).Op(":=").List(rounded(id("delta"), id("in")), rounded(d, id("in"))),
		stateRow(),
		forEach("j", id("states"),
			state().Op("=").Add(rounded(id("decay"), state())).Op("+").Add(rounded(id("scaled"), id("b").Index(id("j")))),
			id("sum").Op("+=").Add(rounded(state(), id("c").Index(id("j")))),
		),
		id("y").Index(tokenRow("strideY").Op("+").Id("e")).Op("=").Id("sum"),
	}
}

// stateRow declares state, row p of head i, an element of which lies
// groupChannels behind the one before.
func stateRow() *jen.Statement {
	first := jen.Parens(id("i").Op("*").Id("rows").Op("+").Id("p").Op("/").Id("groupChannels").Op("*").Id("groupChannels")).
		Op("*").Id("states").Op("+").Id("p").Op("%").Id("groupChannels")
	return id("state").Op(":=").Id("h").Index(first, jen.Empty())
}
