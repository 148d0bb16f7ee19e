package gosrc

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

// codedPanel is how twins read the panels of a storage with codes. Its texts may
// name panel, row r, group g of inputs and column k of the group.
type codedPanel struct {
	// start sets scales to the group's unit of them, and codes to what follows.
	start func() []jen.Code
	sizes []size // that start needs, beside unit
	// code is that of a column, in the low bits of a byte.
	code func(b *jen.Statement) *jen.Statement
	// number is what a code stands for, a whole number of what scale says.
	number func(code jen.Code) *jen.Statement
	scale  func() *jen.Statement
	// What dot products do with the sums of a quad q of columns, with those of a
	// group, which they multiply with a scale of inputs, and with those of a row.
	quadSum  func(sum *jen.Statement) *jen.Statement
	groupSum func(inputs *jen.Statement) *jen.Statement
	rowSum   []jen.Code
	needs    []string
}

var codedPanels = map[kernel.Storage]*codedPanel{}

// registerCoded is called from init of the file that describes the storage.
func registerCoded(s kernel.Storage, p *codedPanel) {
	codedPanels[s] = p
	needs := append([]string{"panelRows"}, p.needs...)
	registerSupport(dotPanelName(s), func() jen.Code { return dotPanel(s) }, needs...)
	registerSupport(widenGroupName(s), func() jen.Code { return widenGroup(s) }, needs...)
}

func dotPanelName(s kernel.Storage) string   { return "dotPanel" + capital(s) }
func widenGroupName(s kernel.Storage) string { return "widenGroup" + capital(s) }

func capital(s kernel.Storage) string { return strings.ToUpper(string(s[:1])) + string(s[1:]) }

// inputGroup is the number of columns of a group of inputs.
func inputGroup(s kernel.Storage) int {
	format, _ := s.Coded()
	return format.Inputs
}

// codedSizes is what reading a coded panel needs.
func codedSizes(s kernel.Storage) []size {
	return append([]size{{"unit", kernel.UnitBytes}}, codedPanels[s].sizes...)
}

// codedColumn is where the codes of column k of a group have that of row 0.
func codedColumn(s kernel.Storage) *jen.Statement {
	return id("k").Op("/").Lit(s.UnitColumns()).Op("*").Id("unit").Op("+").Id("k").Op("&").Lit(3)
}

// codedNumber is what the code of row r of column k stands for, which begins at
// first, in units of the scale.
func codedNumber(s kernel.Storage, first *jen.Statement) *jen.Statement {
	p := codedPanels[s]
	return jen.Float32().Call(p.number(p.code(id("codes").Index(jen.Lit(4).Op("*").Id("r").Op("+").Add(first)))))
}

// dotPanel adds products of codes and quantised numbers, four columns at a time:
// those that lie in one word of the row.
func dotPanel(s kernel.Storage) jen.Code {
	name, p, row := dotPanelName(s), codedPanels[s], s.QuantisedRow(1)
	quads := s.UnitColumns() / 4
	unit, shift := id("q"), jen.Null()
	if quads > 1 {
		unit, shift = id("q").Op("/").Lit(quads), jen.Op(">>").Parens(jen.Lit(4).Op("*").Parens(id("q").Op("&").Lit(1)))
	}
	sum := jen.Null()
	numbers := []jen.Code{}
	for j := range 4 {
		if j > 0 {
			sum.Op("+")
		}
		sum.Id("value" + capital(s)).Call(id("four").Index(jen.Lit(j)).Add(shift.Clone())).Op("*").Id("x" + digit(j))
		numbers = append(numbers, jen.Int32().Call(jen.Int8().Call(id("word").Op(">>").Lit(8*j))))
	}
	first := id("g").Op("*").Id("groupFloats")
	if row.Words.Size > 0 { // whose groups come first
		first = id("groups").Op("*").Lit(row.Words.Size / 4).Op("+").Add(first)
	}
	body := []jen.Code{
		sizes(append(codedSizes(s), size{"group", inputGroup(s)}, size{"groupFloats", row.Bytes.Size / 4})...),
		forEach("g", id("groups"), append(p.start(),
			id("words").Op(":=").Add(from("x", first, jen.Lit(row.Bytes.Scale/4+1))),
			jen.Var().Id("sums").Index(id("panelRows")).Int32(),
			forEach("q", id("group").Op("/").Lit(4),
				id("word").Op(":=").Qual("math", "Float32bits").Call(id("words").Index(id("q"))),
				jen.List(id("x0"), id("x1"), id("x2"), id("x3")).Op(":=").List(numbers...),
				id("column").Op(":=").Add(from("codes", jen.Add(unit).Op("*").Id("unit"), id("unit"))),
				forEach("r", id("sums"),
					id("four").Op(":=").Add(from("column", jen.Lit(4).Op("*").Id("r"), jen.Lit(4))),
					id("sums").Index(id("r")).Op("+=").Add(p.quadSum(sum)),
				),
			),
			forEachOf("r", "sum", id("sums"),
				id("scale").Op(":=").Add(p.groupSum(id("words").Index(jen.Lit(row.Bytes.Scale/4)))),
				id("acc").Index(id("r")).Op("+=").Add(rounded(jen.Float32().Call(id("sum")), id("scale"))),
			),
		)...),
	}
	return docComment(name+" makes acc, which is 0, a packed panel of codes times a quantised row:", "per row one chain over the groups of columns, whose sums are exact.").
		Func().Id(name).Params(
		id("acc").Op("*").Index(id("panelRows")).Float32(),
		id("panel").Index().Uint8(),
		id("x").Index().Float32(),
		id("groups").Int(),
	).Block(append(body, p.rowSum...)...)
}

// widenGroup makes float32 of some columns of a group, exact.
func widenGroup(s kernel.Storage) jen.Code {
	name, p := widenGroupName(s), codedPanels[s]
	return docComment(name+" widens the first columns of group g of a packed panel of codes: the", "layout of an f32 panel comes out.").
		Func().Id(name).Params(
		id("columns").Index().Float32(),
		id("panel").Index().Uint8(),
		id("g").Int(),
	).Block(append(append([]jen.Code{sizes(codedSizes(s)...)}, p.start()...),
		forEach("k", jen.Len(id("columns")).Op("/").Id("panelRows"),
			id("first").Op(":=").Add(codedColumn(s)),
			id("column").Op(":=").Add(from("columns", id("k").Op("*").Id("panelRows"), id("panelRows"))),
			forEach("r", id("column"),
				id("column").Index(id("r")).Op("=").Add(codedNumber(s, id("first"))).Op("*").Add(p.scale()),
			),
		),
	)...)
}
