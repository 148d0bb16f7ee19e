package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerTwin(gemmTwin) }

// gemmTokens is how many tokens use a widened block before the next is made.
const gemmTokens = 8

// gemmTwin keeps the sums of a tile of tokens beside it, not in y, so that
// residual may be y.
func gemmTwin(s kernel.Gemm) twin {
	t := twin{
		doc:   "y = " + linearFormula(s.Epilogue) + " for one packed panel and a run of tokens, each output the same chain as in a gemv.",
		needs: []string{"panelRows", addPanelName(kernel.F32)},
	}
	names := []size{
		{"columns", s.K},
		{"strideX", s.StrideX},
		{"strideY", s.StrideY},
		{"tile", gemmTokens},
	}
	block := addBlock(id("w"), id("row").Index(jen.Empty(), id("columns")))
	if _, ok := s.Storage.Coded(); ok {
		names = append(names, size{"group", inputGroup(s.Storage)})
		block = widenedGroups(s.Storage)
		t.needs = append(t.needs, widenGroupName(s.Storage))
	} else if s.Storage != kernel.F32 {
		names = append(names, size{"block", kernel.KBlock})
		block = widenedBlocks(s.Storage)
		t.needs = append(t.needs, widenPanelName(s.Storage))
	}
	t.body = []jen.Code{
		sizes(names...),
		jen.For(
			id("first").Op(":=").Lit(0),
			id("first").Op("<").Id("tokens"),
			id("first").Op("+=").Id("tile"),
		).Block(
			jen.Var().Id("acc").Index(id("tile")).Index(id("panelRows")).Float32(),
			id("sums").Op(":=").Id("acc").Index(jen.Empty(), jen.Min(id("tile"), id("tokens").Op("-").Id("first"))),
			block,
			forEach("t", id("sums"),
				id("at").Op(":=").Parens(id("first").Op("+").Id("t")).Op("*").Id("strideY"),
				forEachOf("r", "sum", id("sums").Index(id("t")), storeLinearAt(s.Epilogue, id("at").Op("+").Id("r"), id("r"))),
			),
		),
	}
	return t
}

// addBlock adds a block of f32 columns to the sums of a tile's tokens.
func addBlock(panel, inputs jen.Code) *jen.Statement {
	return forEach("t", id("sums"),
		id("row").Op(":=").Id("x").Index(jen.Parens(id("first").Op("+").Id("t")).Op("*").Id("strideX"), jen.Empty()),
		id(addPanelName(kernel.F32)).Call(jen.Op("&").Id("sums").Index(id("t")), panel, inputs),
	)
}

// widenedBlocks widens some columns at a time into scratch and adds them.
func widenedBlocks(s kernel.Storage) *jen.Statement {
	return jen.For(
		id("k").Op(":=").Lit(0),
		id("k").Op("<").Id("columns"),
		id("k").Op("+=").Id("block"),
	).Block(
		id("n").Op(":=").Min(id("block"), id("columns").Op("-").Id("k")),
		id(widenPanelName(s)).Call(
			id("scratch").Index(jen.Empty(), id("n").Op("*").Id("panelRows")),
			id("w").Index(id("k").Op("*").Id("panelRows"), jen.Empty()),
		),
		addBlock(id("scratch"), id("row").Index(id("k"), id("k").Op("+").Id("n"))),
	)
}

// widenedGroups is widenedBlocks for panels of codes.
func widenedGroups(s kernel.Storage) *jen.Statement {
	return jen.For(
		id("g").Op(":=").Lit(0),
		id("g").Op("*").Id("group").Op("<").Id("columns"),
		id("g").Op("++"),
	).Block(
		id("k").Op(":=").Id("g").Op("*").Id("group"),
		id("n").Op(":=").Min(id("group"), id("columns").Op("-").Id("k")),
		id(widenGroupName(s)).Call(id("scratch").Index(jen.Empty(), id("n").Op("*").Id("panelRows")), id("w"), id("g")),
		addBlock(id("scratch"), id("row").Index(id("k"), id("k").Op("+").Id("n"))),
	)
}
