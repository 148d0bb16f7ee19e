package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(embedTwin) }

func embedTwin(s kernel.Embed) twin {
	if _, ok := s.Storage.Coded(); ok {
		return codedEmbedTwin(s)
	}
	t := twin{
		doc:   "y[t] = W[ids[t]], widened, out of packed panels.",
		needs: []string{"panelRows"},
	}
	element := id("panel").Index(id("k").Op("*").Id("panelRows").Op("+").Id("r"))
	if s.Storage != kernel.F32 {
		element = id(widenName(s.Storage)).Call(id("panel").Index(
			id("k").Op("/").Lit(2).Op("*").Lit(2).Op("*").Id("panelRows").Op("+").Add(ofPair(s.Storage))))
		t.needs = append(t.needs, widenName(s.Storage))
	}
	t.body = []jen.Code{
		sizes(
			size{"width", s.Width},
			size{"strideY", s.StrideY},
			size{"panelElements", s.Storage.PanelElements(s.Width)},
		),
		forEachOf("t", "token", id("ids").Index(jen.Empty(), id("tokens")),
			jen.List(id("p"), id("r")).Op(":=").List(
				jen.Int().Call(id("token")).Op("/").Id("panelRows"),
				jen.Int().Call(id("token")).Op("%").Id("panelRows")),
			id("panel").Op(":=").Add(from("w", id("p").Op("*").Id("panelElements"), id("panelElements"))),
			id("out").Op(":=").Add(from("y", tokenRow("strideY"), id("width"))),
			forEach("k", id("out"), id("out").Index(id("k")).Op("=").Add(element)),
		),
	}
	return t
}

// codedEmbedTwin looks codes and scales up, group by group.
func codedEmbedTwin(s kernel.Embed) twin {
	p := codedPanels[s.Storage]
	return twin{
		doc:   "y[t] = W[ids[t]], widened, out of packed panels of codes.",
		needs: append([]string{"panelRows"}, p.needs...),
		body: []jen.Code{
			sizes(append(codedSizes(s.Storage),
				size{"width", s.Width},
				size{"strideY", s.StrideY},
				size{"group", inputGroup(s.Storage)},
				size{"panelElements", s.Storage.PanelElements(s.Width)},
			)...),
			forEachOf("t", "token", id("ids").Index(jen.Empty(), id("tokens")),
				jen.List(id("p"), id("r")).Op(":=").List(
					jen.Int().Call(id("token")).Op("/").Id("panelRows"),
					jen.Int().Call(id("token")).Op("%").Id("panelRows")),
				id("panel").Op(":=").Add(from("w", id("p").Op("*").Id("panelElements"), id("panelElements"))),
				id("out").Op(":=").Add(from("y", tokenRow("strideY"), id("width"))),
				jen.For(id("g").Op(":=").Lit(0), id("g").Op("*").Id("group").Op("<").Id("width"), id("g").Op("++")).Block(append(p.start(),
					id("scale").Op(":=").Add(p.scale()),
					id("columns").Op(":=").Id("out").Index(id("g").Op("*").Id("group"), jen.Min(id("g").Op("*").Id("group").Op("+").Id("group"), id("width"))),
					forEach("k", id("columns"),
						id("columns").Index(id("k")).Op("=").Add(codedNumber(s.Storage, codedColumn(s.Storage))).Op("*").Id("scale")),
				)...),
			),
		},
	}
}
