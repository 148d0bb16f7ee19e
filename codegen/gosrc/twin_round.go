package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() { registerSupport("roundBF16", roundBF16) }

// roundTwin is the twin of a kernel.Quantise for weights in bf16.
func roundTwin(s kernel.Quantise) twin {
	row := s.Storage.QuantisedRow(s.K)
	return twin{
		doc:   "rows rounded to bf16: as float32, zero behind the last column, and as bf16.",
		needs: []string{"roundBF16"},
		body: []jen.Code{
			sizes(size{"columns", s.K}, size{"strideX", s.StrideX}, size{"strideY", s.StrideY}, size{"padded", row.Pairs / 4}),
			forEach("t", id("tokens"),
				id("row").Op(":=").Add(from("x", tokenRow("strideX"), id("columns"))),
				id("out").Op(":=").Add(from("y", tokenRow("strideY"), id("padded").Op("+").Id("padded").Op("/").Lit(2))),
				forEachOf("k", "v", id("row"), id("out").Index(id("k")).Op("=").Id("roundBF16").Call(id("v"))),
				jen.Clear(id("out").Index(id("columns"), id("padded"))),
				forEach("i", id("padded").Op("/").Lit(2),
					jen.List(id("first"), id("second")).Op(":=").List(bitsOf(id("out").Index(jen.Lit(2).Op("*").Id("i"))), bitsOf(id("out").Index(jen.Lit(2).Op("*").Id("i").Op("+").Lit(1)))),
					id("out").Index(id("padded").Op("+").Id("i")).Op("=").Qual("math", "Float32frombits").Call(id("first").Op(">>").Lit(16).Op("|").Id("second")),
				),
			),
		},
	}
}

func bitsOf(v jen.Code) *jen.Statement { return jen.Qual("math", "Float32bits").Call(v) }

func roundBF16() jen.Code {
	return docComment("roundBF16 is the nearest bf16, ties to even; NaN stays NaN.").
		Func().Id("roundBF16").Params(id("v").Float32()).Float32().Block(
		id("bits").Op(":=").Add(bitsOf(id("v"))),
		jen.If(id("v").Op("!=").Id("v")).Block(
			id("bits").Op("|=").Lit(1).Op("<<").Lit(22).Comment("quiet"),
		),
		jen.List(id("sign"), id("rest")).Op(":=").List(id("bits").Op("&").Parens(jen.Lit(1).Op("<<").Lit(31)), id("bits").Op("&^").Parens(jen.Lit(1).Op("<<").Lit(31))),
		id("rest").Op("=").Min(id("rest").Op("+").Id("0x7fff").Op("+").Id("rest").Op(">>").Lit(16).Op("&").Lit(1), id("1<<31-1")),
		jen.Return(jen.Qual("math", "Float32frombits").Call(id("sign").Op("|").Id("rest").Op("&^").Id("0xffff"))),
	)
}
