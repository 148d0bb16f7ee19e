package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(mamba3Twin) }

func mamba3Twin(s kernel.Mamba3) twin {
	ready := s.Ready()
	at := func() *jen.Statement { return id("state").Index(id("n").Op("*").Id("groupChannels")) }
	element := func(base jen.Code) *jen.Statement { return id("row").Index(jen.Add(base).Op("+").Id("p")) }
	return twin{
		doc:   "h = decay·h + Σ w·k, y = skip + Σ h·q, of what is ready of each head and token.",
		needs: []string{"groupChannels"},
		body: []jen.Code{
			sizes(size{"headDim", s.HeadDim}, size{"rows", ready.Update().Rows()}, size{"states", s.States}, size{"rank", s.Rank},
				size{"skips", ready.Update().Skip(0)}, size{"decayAt", ready.Update().Decay()}, size{"keys", ready.Key(0)},
				size{"queries", ready.Query(0)}, size{"size", ready.Floats()}, size{"strideReady", s.StrideReady}, size{"strideY", s.StrideY}),
			forEach("i", id("heads"), forEach("t", id("tokens"),
				id("row").Op(":=").Add(from("ready", tokenRow("strideReady").Op("+").Id("i").Op("*").Id("size"), id("size"))),
				id("decay").Op(":=").Id("row").Index(id("decayAt")),
				forEach("p", id("headDim"),
					stateRow(),
					forEach("n", id("states"),
						jen.Var().Id("in").Float32(),
						forEach("j", jen.Lit(2).Op("*").Id("rank"),
							id("in").Op("+=").Add(rounded(element(id("j").Op("*").Id("rows")), id("row").Index(id("keys").Op("+").Id("j").Op("*").Id("states").Op("+").Id("n"))))),
						at().Op("=").Add(rounded(id("decay"), at())).Op("+").Id("in"),
					),
					forEach("r", id("rank"),
						id("sum").Op(":=").Add(element(id("skips").Op("+").Id("r").Op("*").Id("rows"))),
						forEach("n", id("states"),
							id("sum").Op("+=").Add(rounded(at(), id("row").Index(id("queries").Op("+").Id("r").Op("*").Id("states").Op("+").Id("n"))))),
						id("y").Index(tokenRow("strideY").Op("+").Parens(id("i").Op("*").Id("rank").Op("+").Id("r")).Op("*").Id("headDim").Op("+").Id("p")).Op("=").Id("sum"),
					),
				),
			)),
		},
	}
}
