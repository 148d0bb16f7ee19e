package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(quantiseTwin)
	registerSupport("quantiseGroup", quantiseGroup, "nearest")
	registerSupport("nearest", nearestNumber)
}

func quantiseTwin(s kernel.Quantise) twin {
	format, _ := s.Storage.Coded()
	row := s.Storage.QuantisedRow(s.K)
	part := func(lo, floats int) *jen.Statement {
		return id("out").Index(id("g").Op("*").Lit(floats).Op("+").Lit(lo), jen.Empty()).Index(jen.Empty(), jen.Lit(floats))
	}
	return twin{
		doc:   "whole numbers and scales of rows: as 16-bit words, as bytes, scales, and −128·Σ.",
		needs: []string{"quantiseGroup"},
		body: []jen.Code{
			sizes(size{"columns", s.K}, size{"group", format.Group}, size{"strideX", s.StrideX}, size{"strideY", s.StrideY}),
			forEach("t", id("tokens"),
				id("row").Op(":=").Add(from("x", tokenRow("strideX"), id("columns"))),
				id("out").Op(":=").Id("y").Index(tokenRow("strideY"), jen.Empty()),
				forEach("g", jen.Lit(row.Groups),
					jen.List(id("out").Index(id("g").Op("+").Lit(row.Scales/4)), id("out").Index(id("g").Op("+").Lit(row.Zeros/4))).Op("=").
						Id("quantiseGroup").Call(
						part(0, format.Group/2), part(row.Bytes/4, format.Group/4),
						id("row").Index(id("g").Op("*").Id("group"), jen.Min(id("g").Op("*").Id("group").Op("+").Id("group"), id("columns")))),
				),
			),
		},
	}
}

func quantiseGroup() jen.Code {
	bits := func(v jen.Code) *jen.Statement { return jen.Qual("math", "Float32bits").Call(v) }
	number := func(v jen.Code) *jen.Statement { return jen.Qual("math", "Float32frombits").Call(v) }
	return docComment("quantiseGroup writes the whole numbers of a group of columns, zero behind its", "end, and returns its scale and −128 times their sum, as bits.").
		Func().Id("quantiseGroup").Params(
		jen.List(id("words"), id("quads"), id("x")).Index().Float32(),
	).Params(jen.List(id("scale"), id("zero")).Float32()).Block(
		id("most").Op(":=").Uint32().Call(jen.Lit(0)),
		forEachOf("_", "v", id("x"),
			id("most").Op("=").Max(id("most"), bits(id("v")).Op("&^").Parens(jen.Lit(1).Op("<<").Lit(31))),
		),
		id("inverse").Op(":=").Lit(127).Op("/").Max(number(id("most")), id("0x1p-100")),
		id("sum").Op(":=").Int32().Call(jen.Lit(0)),
		forEach("i", id("quads"),
			jen.Var().Id("four").Index(jen.Lit(4)).Int32(),
			forEachOf("j", "v", id("x").Index(jen.Min(jen.Lit(4).Op("*").Id("i"), jen.Len(id("x"))), jen.Min(jen.Lit(4).Op("*").Id("i").Op("+").Lit(4), jen.Len(id("x")))),
				id("four").Index(id("j")).Op("=").Id("nearest").Call(id("v").Op("*").Id("inverse")),
				id("sum").Op("+=").Id("four").Index(id("j")),
			),
			id("words").Index(jen.Lit(2).Op("*").Id("i")).Op("=").Add(number(pairOfWords(0))),
			id("words").Index(jen.Lit(2).Op("*").Id("i").Op("+").Lit(1)).Op("=").Add(number(pairOfWords(2))),
			id("quads").Index(id("i")).Op("=").Add(number(fourBytes())),
		),
		jen.Return(number(id("most")).Op("/").Lit(127), number(jen.Uint32().Call(jen.Op("-").Lit(kernel.CodeOfZero).Op("*").Id("sum")))),
	)
}

func pairOfWords(j int) jen.Code {
	return jen.Uint32().Call(jen.Uint16().Call(id("four").Index(jen.Lit(j)))).Op("|").
		Uint32().Call(jen.Uint16().Call(id("four").Index(jen.Lit(j + 1)))).Op("<<").Lit(16)
}

func fourBytes() jen.Code {
	word := jen.Null()
	for j := range 4 {
		if j > 0 {
			word.Op("|")
		}
		word.Uint32().Call(jen.Uint8().Call(id("four").Index(jen.Lit(j))))
		if j > 0 {
			word.Op("<<").Lit(8 * j)
		}
	}
	return word
}

func nearestNumber() jen.Code {
	return docComment("nearest rounds to a whole number within ±127, ties to even; NaN counts as the", "least.").
		Func().Id("nearest").Params(id("v").Float32()).Int32().Block(
		jen.If(jen.Op("!").Parens(id("v").Op(">").Lit(-127))).Block(jen.Return(jen.Lit(-127))),
		jen.Return(jen.Int32().Call(jen.Qual("math", "RoundToEven").Call(jen.Float64().Call(jen.Min(id("v"), jen.Lit(127)))))),
	)
}
