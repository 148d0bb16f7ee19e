package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(gemvTwin) }

func gemvTwin(s kernel.Gemv) twin {
	if _, ok := s.Storage.Coded(); ok {
		return codedGemvTwin(s)
	}
	addPanel := addPanelName(s.Storage)
	return twin{
		doc: "y = " + linearFormula(s.Epilogue) + " for a run of packed panels, each output one chain in ascending k.",
		body: []jen.Code{
			sizes(
				size{"columns", s.K},
				size{"panelElements", s.Storage.PanelElements(s.K)},
			),
			forEach("p", id("panels"),
				jen.Var().Id("acc").Index(id("panelRows")).Float32(),
				id(addPanel).Call(
					jen.Op("&").Id("acc"),
					from("w", id("p").Op("*").Id("panelElements"), id("panelElements")),
					id("x").Index(jen.Empty(), id("columns")),
				),
				id("first").Op(":=").Id("p").Op("*").Id("panelRows"),
				forEachOf("r", "sum", id("acc"), storeLinear(s.Epilogue, id("first").Op("+").Id("r"))),
			),
		},
		needs: []string{"panelRows", addPanel},
	}
}

// codedGemvTwin widens a group of columns at a time.
func codedGemvTwin(s kernel.Gemv) twin {
	return twin{
		doc: "y = " + linearFormula(s.Epilogue) + " for a run of packed panels of codes, each output one chain in ascending k.",
		body: []jen.Code{
			sizes(
				size{"columns", s.K},
				size{"group", inputGroup(s.Storage)},
				size{"panelElements", s.Storage.PanelElements(s.K)},
			),
			jen.Var().Id("block").Index(id("group").Op("*").Id("panelRows")).Float32(),
			forEach("p", id("panels"),
				jen.Var().Id("acc").Index(id("panelRows")).Float32(),
				id("panel").Op(":=").Add(from("w", id("p").Op("*").Id("panelElements"), id("panelElements"))),
				jen.For(id("g").Op(":=").Lit(0), id("g").Op("*").Id("group").Op("<").Id("columns"), id("g").Op("++")).Block(
					id("inputs").Op(":=").Id("x").Index(id("g").Op("*").Id("group"), jen.Min(id("g").Op("*").Id("group").Op("+").Id("group"), id("columns"))),
					id(widenGroupName(s.Storage)).Call(id("block").Index(jen.Empty(), jen.Len(id("inputs")).Op("*").Id("panelRows")), id("panel"), id("g")),
					id(addPanelName(kernel.F32)).Call(jen.Op("&").Id("acc"), id("block").Index(jen.Empty(), jen.Empty()), id("inputs")),
				),
				id("first").Op(":=").Id("p").Op("*").Id("panelRows"),
				forEachOf("r", "sum", id("acc"), storeLinear(s.Epilogue, id("first").Op("+").Id("r"))),
			),
		},
		needs: []string{"panelRows", addPanelName(kernel.F32), widenGroupName(s.Storage)},
	}
}

func linearFormula(e kernel.Epilogue) string {
	formula := "W·x"
	if e.Bias {
		formula += " + bias"
	}
	if e.Residual {
		formula += " + residual"
	}
	return formula
}

// storeLinear writes one finished chain: the epilogue, in the order of
// kernel.Epilogue. at is the output's place in y and residual; the bias of a
// gemm is that of its one panel.
func storeLinear(e kernel.Epilogue, at *jen.Statement) jen.Code {
	return storeLinearAt(e, at, at)
}

func storeLinearAt(e kernel.Epilogue, at, biasAt *jen.Statement) jen.Code {
	value := id("sum")
	if e.Bias {
		value = value.Op("+").Id("bias").Index(biasAt.Clone())
	}
	if e.Residual {
		value = value.Op("+").Id("residual").Index(at.Clone())
	}
	return id("y").Index(at.Clone()).Op("=").Add(value)
}
