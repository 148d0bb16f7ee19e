package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(dotGemvTwin) }

func dotGemvTwin(s kernel.DotGemv) twin {
	if s.Storage == kernel.BF16 {
		t := gemvTwin(kernel.Gemv(s))
		t.doc = "y = " + linearFormula(s.Epilogue) + " for a run of packed panels and an x rounded to bf16, each output one chain in ascending k."
		return t
	}
	return twin{
		doc: "y = " + linearFormula(s.Epilogue) + " for a run of panels of codes and a quantised x; it needs no scratch.",
		body: []jen.Code{
			sizes(
				size{"groups", s.Storage.QuantisedRow(s.K).Groups},
				size{"panelElements", s.Storage.PanelElements(s.K)},
			),
			forEach("p", id("panels"),
				jen.Var().Id("acc").Index(id("panelRows")).Float32(),
				id(dotPanelName(s.Storage)).Call(jen.Op("&").Id("acc"), from("w", id("p").Op("*").Id("panelElements"), id("panelElements")), id("x"), id("groups")),
				id("first").Op(":=").Id("p").Op("*").Id("panelRows"),
				forEachOf("r", "sum", id("acc"), storeLinear(s.Epilogue, id("first").Op("+").Id("r"))),
			),
		},
		needs: []string{"panelRows", dotPanelName(s.Storage)},
	}
}
