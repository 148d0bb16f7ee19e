package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(dotGemmTwin) }

func dotGemmTwin(s kernel.DotGemm) twin {
	if s.Storage == kernel.BF16 {
		t := gemmTwin(kernel.Gemm(s))
		t.doc = "y = " + linearFormula(s.Epilogue) + " for one packed panel and a run of tokens rounded to bf16, each output the same chain as in a gemv."
		return t
	}
	return twin{
		doc: "y = " + linearFormula(s.Epilogue) + " for one panel of codes and a run of quantised tokens; it needs no scratch.",
		body: []jen.Code{
			sizes(
				size{"groups", s.Storage.QuantisedRow(s.K).Groups},
				size{"strideX", s.StrideX},
				size{"strideY", s.StrideY},
			),
			forEach("t", id("tokens"),
				jen.Var().Id("acc").Index(id("panelRows")).Float32(),
				id(dotPanelName(s.Storage)).Call(jen.Op("&").Id("acc"), id("w"), id("x").Index(tokenRow("strideX"), jen.Empty()), id("groups")),
				id("at").Op(":=").Add(tokenRow("strideY")),
				forEachOf("r", "sum", id("acc"), storeLinearAt(s.Epilogue, id("at").Op("+").Id("r"), id("r"))),
			),
		},
		needs: []string{"panelRows", dotPanelName(s.Storage)},
	}
}
