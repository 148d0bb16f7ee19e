package gosrc

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	for _, s := range []kernel.Storage{kernel.Int8, kernel.Int4} {
		registerSupport(dotPanelName(s), func() jen.Code { return dotPanel(s) }, "panelRows", "codedScale", codedValueName(s))
		registerSupport(widenGroupName(s), func() jen.Code { return widenGroup(s) }, "panelRows", "codedScale", codedValueName(s))
	}
	registerSupport("codedScale", codedScale, widenName(kernel.BF16))
	registerSupport(codedValueName(kernel.Int8), func() jen.Code {
		return docComment("valueInt8 is what a code stands for, in units of its scale.").
			Func().Id("valueInt8").Params(id("code").Uint8()).Int32().Block(
			jen.Return(jen.Int32().Call(id("code")).Op("-").Lit(kernel.CodeOfZero)))
	})
	registerSupport(codedValueName(kernel.Int4), valueInt4)
}

func dotPanelName(s kernel.Storage) string   { return "dotPanel" + capital(s) }
func widenGroupName(s kernel.Storage) string { return "widenGroup" + capital(s) }
func codedValueName(s kernel.Storage) string { return "value" + capital(s) }

func capital(s kernel.Storage) string { return strings.ToUpper(string(s[:1])) + string(s[1:]) }

func valueInt4() jen.Code {
	format, _ := kernel.Int4.Coded()
	return docComment("int4Values is what the codes of int4 stand for, in units of their scale.").
		Var().Id("int4Values").Op("=").Index(jen.Lit(len(format.Values))).Int32().ValuesFunc(func(g *jen.Group) {
		for _, v := range format.Values {
			g.Lit(int(v))
		}
	}).Line().Line().
		Comment("valueInt4 is what the code in the low half of a byte stands for.").Line().
		Func().Id("valueInt4").Params(id("code").Uint8()).Int32().Block(
		jen.Return(id("int4Values").Index(id("code").Op("&").Lit(15))))
}

func codedScale() jen.Code {
	return docComment("codedScale is the scale of a row in the first or second group of a pair, whose", "unit of scales this is.").
		Func().Id("codedScale").Params(id("unit").Index().Uint8(), jen.List(id("row"), id("group")).Int()).Float32().Block(
		id("at").Op(":=").Lit(4).Op("*").Id("row").Op("+").Lit(2).Op("*").Parens(id("group").Op("&").Lit(1)),
		jen.Return(id(widenName(kernel.BF16)).Call(
			jen.Uint16().Call(id("unit").Index(id("at"))).Op("|").Uint16().Call(id("unit").Index(plus("at", 1))).Op("<<").Lit(8))),
	)
}

// codedSizes is what groupStart needs to know of a coded panel.
func codedSizes(s kernel.Storage) []size {
	format, _ := s.Coded()
	return []size{
		{"unit", kernel.UnitBytes},
		{"groupBytes", kernel.UnitBytes * format.Group / s.UnitColumns()},
	}
}

// codedColumn is where the codes of column k of a group have that of row 0.
func codedColumn(s kernel.Storage) *jen.Statement {
	return id("k").Op("/").Lit(s.UnitColumns()).Op("*").Id("unit").Op("+").Id("k").Op("&").Lit(3)
}

// codedValue is what the code of row r of column k stands for, which begins at
// first.
func codedValue(s kernel.Storage, first *jen.Statement) *jen.Statement {
	code := id("codes").Index(jen.Lit(4).Op("*").Id("r").Op("+").Add(first))
	if s == kernel.Int4 {
		code.Op(">>").Parens(id("k").Op("&").Lit(4))
	}
	return jen.Float32().Call(id(codedValueName(s)).Call(code))
}

// groupStart sets scales and codes to those of group g.
func groupStart() []jen.Code {
	return []jen.Code{
		id("scales").Op(":=").Id("panel").Index(
			id("g").Op("/").Lit(2).Op("*").Parens(id("unit").Op("+").Lit(2).Op("*").Id("groupBytes")), jen.Empty()),
		id("codes").Op(":=").Id("scales").Index(id("unit").Op("+").Id("g").Op("&").Lit(1).Op("*").Id("groupBytes"), jen.Empty()),
	}
}

// dotPanel adds products of codes and quantised numbers, four columns at a time:
// those that lie in one word of the row.
func dotPanel(s kernel.Storage) jen.Code {
	name := dotPanelName(s)
	format, _ := s.Coded()
	at := jen.Lit(4).Op("*").Id("r")
	unit, shift := id("q"), jen.Null()
	if s == kernel.Int4 {
		unit, shift = id("q").Op("/").Lit(2), jen.Op(">>").Parens(jen.Lit(4).Op("*").Parens(id("q").Op("&").Lit(1)))
	}
	sum := jen.Null()
	for j := range 4 {
		if j > 0 {
			sum.Op("+")
		}
		code := id("four").Index(jen.Lit(j)).Add(shift.Clone())
		sum.Id(codedValueName(s)).Call(code).Op("*").Id("x" + digit(j))
	}
	numbers := []jen.Code{}
	for j := range 4 {
		numbers = append(numbers, jen.Int32().Call(jen.Int8().Call(id("word").Op(">>").Lit(8*j))))
	}
	return docComment(name+" adds a packed panel of codes times a quantised row to acc: per row", "one chain over the groups of columns, whose sums are exact.").
		Func().Id(name).Params(
		id("acc").Op("*").Index(id("panelRows")).Float32(),
		id("panel").Index().Uint8(),
		id("x").Index().Float32(),
		id("groups").Int(),
	).Block(
		sizes(append(codedSizes(s), size{"group", format.Group})...),
		forEach("g", id("groups"), append(groupStart(),
			id("words").Op(":=").Add(from("x", id("g").Op("*").Parens(jen.Lit(3).Op("*").Id("group").Op("/").Lit(4).Op("+").Lit(2)).Op("+").Id("group").Op("/").Lit(2), id("group").Op("/").Lit(4).Op("+").Lit(1))),
			jen.Var().Id("sums").Index(id("panelRows")).Int32(),
			forEach("q", id("group").Op("/").Lit(4),
				id("word").Op(":=").Qual("math", "Float32bits").Call(id("words").Index(id("q"))),
				jen.List(id("x0"), id("x1"), id("x2"), id("x3")).Op(":=").List(numbers...),
				id("column").Op(":=").Add(from("codes", jen.Add(unit).Op("*").Id("unit"), id("unit"))),
				forEach("r", id("sums"),
					id("four").Op(":=").Add(from("column", at, jen.Lit(4))),
					id("sums").Index(id("r")).Op("+=").Add(sum),
				),
			),
			forEachOf("r", "sum", id("sums"),
				id("scale").Op(":=").Id("codedScale").Call(id("scales"), id("r"), id("g")).Op("*").Id("words").Index(id("group").Op("/").Lit(4)),
				id("acc").Index(id("r")).Op("+=").Add(rounded(jen.Float32().Call(id("sum")), id("scale"))),
			),
		)...),
	)
}

// widenGroup makes float32 of some columns of a group: value · scale, exact.
func widenGroup(s kernel.Storage) jen.Code {
	name := widenGroupName(s)
	return docComment(name+" widens the first columns of group g of a packed panel of codes: the", "layout of an f32 panel comes out.").
		Func().Id(name).Params(
		id("columns").Index().Float32(),
		id("panel").Index().Uint8(),
		id("g").Int(),
	).Block(append(append([]jen.Code{sizes(codedSizes(s)...)}, groupStart()...),
		forEach("k", jen.Len(id("columns")).Op("/").Id("panelRows"),
			id("first").Op(":=").Add(codedColumn(s)),
			id("column").Op(":=").Add(from("columns", id("k").Op("*").Id("panelRows"), id("panelRows"))),
			forEach("r", id("column"),
				id("column").Index(id("r")).Op("=").Add(codedValue(s, id("first"))).Op("*").Id("codedScale").Call(id("scales"), id("r"), id("g")),
			),
		),
	)...)
}
