package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(scan1Twin) }

func scan1Twin(s kernel.Scan1) twin {
	t := twin{
		doc:   "the selective scan h = exp(Δ·a)·h + Δ·u·B, y = " + scan1Output(s) + ".",
		needs: []string{"groupChannels", "exp"},
	}
	names := []size{
		{"states", s.States}, {"strideU", s.StrideU}, {"strideD", s.StrideD}, {"strideY", s.StrideY},
		{"strideBC", s.StrideBC}, {"offsetB", s.OffsetB}, {"offsetC", s.OffsetC},
	}
	delta := id("dt").Index(tokenRow("strideD").Op("+").Id("e"))
	if s.Softplus {
		delta = id("softplus").Call(delta.Op("+").Id("dtBias").Index(id("e")))
		t.needs = append(t.needs, "softplus")
	}
	output := id("sum")
	if s.Gate {
		names = append(names, size{"strideZ", s.StrideZ})
		output = id("sum").Op("*").Id("silu").Call(id("z").Index(tokenRow("strideZ").Op("+").Id("e")))
		t.needs = append(t.needs, "silu")
	}
	channel := append(scan1Channel(delta), id("y").Index(tokenRow("strideY").Op("+").Id("e")).Op("=").Add(output))
	t.body = []jen.Code{
		sizes(names...),
		forEach("t", id("tokens"),
			id("b").Op(":=").Add(from("bc", tokenRow("strideBC").Op("+").Id("offsetB"), id("states"))),
			id("c").Op(":=").Add(from("bc", tokenRow("strideBC").Op("+").Id("offsetC"), id("states"))),
			forEach("e", id("groups").Op("*").Id("groupChannels"), channel...),
		),
	}
	return t
}

// scan1Channel is one token of one channel, up to the sum.
func scan1Channel(delta jen.Code) []jen.Code {
	return []jen.Code{
		jen.List(id("delta"), id("in")).Op(":=").List(delta, id("u").Index(tokenRow("strideU").Op("+").Id("e"))),
		id("scaled").Op(":=").Add(rounded(id("delta"), id("in"))),
		id("first").Op(":=").Id("e").Op("/").Id("groupChannels").Op("*").Id("groupChannels").Op("*").Id("states").
			Op("+").Id("e").Op("%").Id("groupChannels"),
		jen.Var().Id("sum").Float32(),
		forEach("n", id("states"),
			id("i").Op(":=").Id("first").Op("+").Id("n").Op("*").Id("groupChannels"),
			id("decay").Op(":=").Id("exp").Call(id("delta").Op("*").Id("a").Index(id("i"))),
			id("h").Index(id("i")).Op("=").Add(rounded(id("decay"), id("h").Index(id("i")))).
				Op("+").Add(rounded(id("scaled"), id("b").Index(id("n")))),
			id("sum").Op("+=").Add(rounded(id("h").Index(id("i")), id("c").Index(id("n")))),
		),
		id("sum").Op("+=").Add(rounded(id("d").Index(id("e")), id("in"))),
	}
}

func scan1Output(s kernel.Scan1) string {
	if s.Gate {
		return "(Σ h·C + d·u)·silu(z)"
	}
	return "Σ h·C + d·u"
}
