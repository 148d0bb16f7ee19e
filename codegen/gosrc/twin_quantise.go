package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(quantiseTwin)
	registerSupport("quantiseGroup", quantiseGroup, "nearest")
	registerSupport("quantiseSums", quantiseSums, "nearest")
	registerSupport("nearest", nearestNumber)
}

func quantiseTwin(s kernel.Quantise) twin {
	if s.Storage == kernel.BF16 {
		return roundTwin(s)
	}
	row, group := s.Storage.QuantisedRow(s.K), "quantiseGroup"
	doc := "whole numbers and scales of rows: groups of 16-bit words, then of bytes, each with the scale and −128·Σ."
	list := []size{{"columns", s.K}, {"group", inputGroup(s.Storage)}, {"strideX", s.StrideX}, {"strideY", s.StrideY}, {"byteFloats", row.Bytes.Size / 4}}
	out := []jen.Code{from("out", id("g").Op("*").Id("byteFloats"), id("byteFloats"))}
	if format, _ := s.Storage.Coded(); format.Multiples {
		group = "quantiseSums"
		doc = "whole numbers and scales of rows, group after group: as bytes, −Σ of each 16, and the scale."
	} else {
		list = append(list, size{"bytesAt", row.Bytes.At / 4}, size{"wordFloats", row.Words.Size / 4})
		out = []jen.Code{
			from("out", id("g").Op("*").Id("wordFloats"), id("wordFloats")),
			from("out", id("bytesAt").Op("+").Id("g").Op("*").Id("byteFloats"), id("byteFloats")),
		}
	}
	columns := id("row").Index(id("g").Op("*").Id("group"), jen.Min(id("g").Op("*").Id("group").Op("+").Id("group"), id("columns")))
	return twin{
		doc:   doc,
		needs: []string{group},
		body: []jen.Code{
			sizes(list...),
			forEach("t", id("tokens"),
				id("row").Op(":=").Add(from("x", tokenRow("strideX"), id("columns"))),
				id("out").Op(":=").Id("y").Index(tokenRow("strideY"), jen.Empty()),
				forEach("g", jen.Lit(row.Groups),
					id(group).Call(append(out, columns)...),
				),
			),
		},
	}
}

// number is a float32 of bits.
func number(v jen.Code) *jen.Statement { return jen.Qual("math", "Float32frombits").Call(v) }

// greatest is the largest magnitude of x, as bits, and what x is multiplied with.
func greatest() jen.Code {
	bits := jen.Qual("math", "Float32bits").Call(id("v"))
	return jen.Add(id("most").Op(":=").Uint32().Call(jen.Lit(0)).Line(),
		forEachOf("_", "v", id("x"),
			id("most").Op("=").Max(id("most"), bits.Op("&^").Parens(jen.Lit(1).Op("<<").Lit(31))),
		).Line(),
		id("inverse").Op(":=").Lit(127).Op("/").Max(number(id("most")), id("0x1p-100")))
}

// quads rounds four columns of x a turn, adds them to a sum, and stores them.
func quads(sum *jen.Statement, store ...jen.Code) jen.Code {
	return forEach("i", id("quads"), append([]jen.Code{
		jen.Var().Id("four").Index(jen.Lit(4)).Int32(),
		forEachOf("j", "v", id("x").Index(jen.Min(jen.Lit(4).Op("*").Id("i"), jen.Len(id("x"))), jen.Min(jen.Lit(4).Op("*").Id("i").Op("+").Lit(4), jen.Len(id("x")))),
			id("four").Index(id("j")).Op("=").Id("nearest").Call(id("v").Op("*").Id("inverse")),
			sum.Op("+=").Id("four").Index(id("j")),
		)}, append(store, id("quads").Index(id("i")).Op("=").Add(number(fourBytes())))...)...)
}

func quantiseGroup() jen.Code {
	return docComment("quantiseGroup writes the whole numbers of a group of columns, zero behind its", "end, as words and as bytes, behind each the scale and −128 times their sum.").
		Func().Id("quantiseGroup").Params(
		jen.List(id("words"), id("bytes"), id("x")).Index().Float32(),
	).Block(
		id("n").Op(":=").Add(jen.Len(id("bytes"))).Op("-").Lit(2),
		id("quads").Op(":=").Id("bytes").Index(jen.Empty(), id("n")),
		greatest(),
		id("sum").Op(":=").Int32().Call(jen.Lit(0)),
		quads(id("sum"),
			id("words").Index(jen.Lit(2).Op("*").Id("i")).Op("=").Add(number(pairOfWords("four", 0, 1))),
			id("words").Index(jen.Lit(2).Op("*").Id("i").Op("+").Lit(1)).Op("=").Add(number(pairOfWords("four", 2, 3))),
		),
		jen.List(id("scale"), id("zero")).Op(":=").List(number(id("most")).Op("/").Lit(127), number(jen.Uint32().Call(jen.Op("-").Lit(kernel.CodeOfZero).Op("*").Id("sum")))),
		jen.List(id("words").Index(jen.Lit(2).Op("*").Id("n")), id("words").Index(jen.Lit(2).Op("*").Id("n").Op("+").Lit(1))).Op("=").List(id("scale"), id("zero")),
		jen.List(id("bytes").Index(id("n")), id("bytes").Index(id("n").Op("+").Lit(1))).Op("=").List(id("scale"), id("zero")),
	)
}

func quantiseSums() jen.Code {
	format, _ := kernel.Int4.Coded()
	o := kernel.SumOrder
	return docComment("quantiseSums writes the whole numbers of a group of columns, zero behind its end,", "as bytes, then less the sum of each 16, as words, then its scale.").
		Func().Id("quantiseSums").Params(
		jen.List(id("out"), id("x")).Index().Float32(),
	).Block(
		id("n").Op(":=").Add(jen.Len(id("out"))).Op("-").Lit(3),
		id("quads").Op(":=").Id("out").Index(jen.Empty(), id("n")),
		greatest(),
		jen.Var().Id("sums").Index(jen.Lit(len(o))).Int32(),
		quads(id("sums").Index(id("i").Op("/").Lit(format.Group/4))),
		forEach("i", id("sums"), id("sums").Index(id("i")).Op("*=").Lit(-1)),
		id("out").Index(id("n")).Op("=").Add(number(pairOfWords("sums", o[0], o[1]))),
		id("out").Index(id("n").Op("+").Lit(1)).Op("=").Add(number(pairOfWords("sums", o[2], o[3]))),
		id("out").Index(id("n").Op("+").Lit(2)).Op("=").Add(number(id("most"))).Op("/").Lit(127),
	)
}

func pairOfWords(list string, low, high int) jen.Code {
	return jen.Uint32().Call(jen.Uint16().Call(id(list).Index(jen.Lit(low)))).Op("|").
		Uint32().Call(jen.Uint16().Call(id(list).Index(jen.Lit(high)))).Op("<<").Lit(16)
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
