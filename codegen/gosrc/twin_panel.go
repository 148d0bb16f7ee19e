package gosrc

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerSupport("panelRows", func() jen.Code {
		return docComment("panelRows is the height of a packed weight panel in output rows.").
			Const().Id("panelRows").Op("=").Lit(kernel.PanelRows)
	})
	registerSupport(addPanelName(kernel.F32), addPanelF32, "panelRows")
	for _, s := range []kernel.Storage{kernel.F16, kernel.BF16} {
		registerSupport(addPanelName(s), func() jen.Code { return addPanelPairs(s) }, "panelRows", widenName(s))
		registerSupport(widenPanelName(s), func() jen.Code { return widenPanel(s) }, "panelRows", widenName(s))
	}
	registerSupport(widenName(kernel.F16), widenF16)
	registerSupport(widenName(kernel.BF16), widenBF16)
}

func addPanelName(s kernel.Storage) string   { return "addPanel" + strings.ToUpper(string(s)) }
func widenPanelName(s kernel.Storage) string { return "widenPanel" + strings.ToUpper(string(s)) }
func widenName(s kernel.Storage) string      { return "widen" + strings.ToUpper(string(s)) }

// addPanelF32 takes four columns at a time, which loads and stores a sum a
// quarter as often and leaves its chain as it is.
func addPanelF32() jen.Code {
	const unroll = 4
	inputs, columns := jen.Null(), jen.Null()
	sums := []jen.Code{}
	for j := range unroll {
		if j > 0 {
			inputs.Op(",")
			columns.Op(",")
		}
		inputs.Id("x" + digit(j))
		columns.Id("x").Index(plus("k", j))
		offset := id("r")
		if j > 0 {
			offset = jen.Lit(j).Op("*").Id("panelRows").Op("+").Id("r")
		}
		sums = append(sums, id("sum").Op("+=").Add(rounded(id("c").Index(offset), id("x"+digit(j)))))
	}
	sums = append(sums, id("acc").Index(id("r")).Op("=").Id("sum"))
	return docComment("addPanelF32 adds a packed panel times x to acc: per row one chain of rounded", "products and sums in ascending k.").
		Func().Id("addPanelF32").Params(
		id("acc").Op("*").Index(id("panelRows")).Float32(),
		jen.List(id("panel"), id("x")).Index().Float32(),
	).Block(
		id("k").Op(":=").Lit(0),
		jen.For(jen.Empty(), id("k").Op("+").Lit(unroll).Op("<=").Len(id("x")), id("k").Op("+=").Lit(unroll)).Block(
			inputs.Op(":=").Add(columns),
			id("c").Op(":=").Parens(jen.Op("*").Index(jen.Lit(unroll).Op("*").Id("panelRows")).Float32()).
				Parens(id("panel").Index(id("k").Op("*").Id("panelRows"), jen.Empty())),
			forEachOf("r", "sum", id("acc"), sums...),
		),
		jen.For(jen.Empty(), id("k").Op("<").Len(id("x")), id("k").Op("++")).Block(
			id("c").Op(":=").Parens(jen.Op("*").Index(id("panelRows")).Float32()).
				Parens(id("panel").Index(id("k").Op("*").Id("panelRows"), jen.Empty())),
			forEach("r", id("acc"),
				id("acc").Index(id("r")).Op("+=").Add(rounded(id("c").Index(id("r")), id("x").Index(id("k")))),
			),
		),
	)
}

// addPanelPairs is addPanelF32 for the storages that hold pairs of columns.
func addPanelPairs(s kernel.Storage) jen.Code {
	name, widen := addPanelName(s), widenName(s)
	element := func(j int) *jen.Statement {
		at := firstOfPair(s)
		if j > 0 {
			at.Op("+").Lit(j * apart(s))
		}
		return id(widen).Call(id("pairs").Index(at))
	}
	pairs := func() jen.Code {
		return id("pairs").Op(":=").Parens(jen.Op("*").Index(jen.Lit(2).Op("*").Id("panelRows")).Uint16()).
			Parens(id("panel").Index(id("k").Op("*").Id("panelRows"), jen.Empty()))
	}
	return docComment(name+" adds a packed panel of column pairs times x to acc: per row one", "chain of rounded products and sums in ascending k.").
		Func().Id(name).Params(
		id("acc").Op("*").Index(id("panelRows")).Float32(),
		id("panel").Index().Uint16(),
		id("x").Index().Float32(),
	).Block(
		id("k").Op(":=").Lit(0),
		jen.For(jen.Empty(), id("k").Op("+").Lit(2).Op("<=").Len(id("x")), id("k").Op("+=").Lit(2)).Block(
			jen.List(id("x0"), id("x1")).Op(":=").List(id("x").Index(id("k")), id("x").Index(plus("k", 1))),
			pairs(),
			forEachOf("r", "sum", id("acc"),
				id("sum").Op("+=").Add(rounded(element(0), id("x0"))),
				id("sum").Op("+=").Add(rounded(element(1), id("x1"))),
				id("acc").Index(id("r")).Op("=").Id("sum"),
			),
		),
		jen.If(id("k").Op("<").Len(id("x"))).Block(
			jen.Comment("An odd number of columns: the last pair is half padding."),
			pairs(),
			forEach("r", id("acc"),
				id("acc").Index(id("r")).Op("+=").Add(rounded(element(0), id("x").Index(id("k")))),
			),
		),
	)
}

// firstOfPair is where a pair of columns has the first number of row r.
func firstOfPair(s kernel.Storage) *jen.Statement {
	if s == kernel.F16 {
		return id("r").Op("/").Lit(kernel.RowsTogether).Op("*").Lit(2 * kernel.RowsTogether).Op("+").Id("r").Op("%").Lit(kernel.RowsTogether)
	}
	return jen.Lit(2).Op("*").Id("r")
}

// apart is how far behind it the second one is.
func apart(s kernel.Storage) int { return s.Index(0, 1) - s.Index(0, 0) }

// ofPair is where its pair has column k of row r.
func ofPair(s kernel.Storage) *jen.Statement {
	at := firstOfPair(s).Op("+").Id("k").Op("&").Lit(1)
	if n := apart(s); n > 1 {
		at.Op("*").Lit(n)
	}
	return at
}

func widenPanel(s kernel.Storage) jen.Code {
	name := widenPanelName(s)
	return docComment(name+" widens columns from a packed panel of column pairs: the layout of", "an f32 panel comes out.").
		Func().Id(name).Params(
		id("columns").Index().Float32(),
		id("panel").Index().Uint16(),
	).Block(
		forEach("k", jen.Len(id("columns")).Op("/").Id("panelRows"),
			id("column").Op(":=").Add(from("columns", id("k").Op("*").Id("panelRows"), id("panelRows"))),
			id("pairs").Op(":=").Add(from("panel", id("k").Op("/").Lit(2).Op("*").Lit(2).Op("*").Id("panelRows"), jen.Lit(2).Op("*").Id("panelRows"))),
			forEach("r", id("column"),
				id("column").Index(id("r")).Op("=").Id(widenName(s)).Call(id("pairs").Index(ofPair(s))),
			),
		),
	)
}

func widenBF16() jen.Code {
	return docComment("widenBF16 is the float32 of a bfloat16; exact.").
		Func().Id("widenBF16").Params(id("h").Uint16()).Float32().Block(
		jen.Return(jen.Qual("math", "Float32frombits").Call(jen.Uint32().Call(id("h")).Op("<<").Lit(16))),
	)
}

// widenF16 moves the exponent by a multiplication, which is exact for
// denormals too.
func widenF16() jen.Code {
	bits := func(name string) *jen.Statement { return jen.Qual("math", "Float32frombits").Call(id(name)) }
	return docComment("widenF16 is the float32 of an IEEE half; exact, denormals included.").
		Func().Id("widenF16").Params(id("h").Uint16()).Float32().Block(
		id("sign").Op(":=").Uint32().Call(id("h").Op("&").Id("0x8000")).Op("<<").Lit(16),
		id("rest").Op(":=").Uint32().Call(id("h").Op("&").Id("0x7fff")).Op("<<").Lit(13),
		jen.If(id("h").Op("&").Id("0x7c00").Op("==").Id("0x7c00")).Block(
			jen.Return(jen.Qual("math", "Float32frombits").Call(id("sign").Op("|").Id("0x7f800000").Op("|").Id("rest"))),
		),
		id("rest").Op("=").Qual("math", "Float32bits").Call(bits("rest").Op("*").Id("0x1p112")),
		jen.Return(jen.Qual("math", "Float32frombits").Call(id("sign").Op("|").Id("rest"))),
	)
}

func digit(j int) string { return string(rune('0' + j)) }

func plus(name string, j int) *jen.Statement {
	if j == 0 {
		return id(name)
	}
	return id(name).Op("+").Lit(j)
}
