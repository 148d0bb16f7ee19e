package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

// In int8 a unit of scales stands before each pair of groups.
func init() {
	scale := func() *jen.Statement { return id("codedScale").Call(id("scales"), id("r"), id("g")) }
	registerCoded(kernel.Int8, &codedPanel{
		start: func() []jen.Code {
			return []jen.Code{
				id("scales").Op(":=").Id("panel").Index(
					id("g").Op("/").Lit(2).Op("*").Parens(id("unit").Op("+").Lit(2).Op("*").Id("groupBytes")), jen.Empty()),
				id("codes").Op(":=").Id("scales").Index(id("unit").Op("+").Id("g").Op("&").Lit(1).Op("*").Id("groupBytes"), jen.Empty()),
			}
		},
		sizes:    []size{{"groupBytes", kernel.UnitBytes * inputGroup(kernel.Int8) / kernel.Int8.UnitColumns()}},
		code:     func(b *jen.Statement) *jen.Statement { return b },
		number:   func(code jen.Code) *jen.Statement { return id("valueInt8").Call(code) },
		scale:    scale,
		quadSum:  func(sum *jen.Statement) *jen.Statement { return sum },
		groupSum: func(inputs *jen.Statement) *jen.Statement { return scale().Op("*").Add(inputs) },
		needs:    []string{"codedScale", "valueInt8"},
	})
	registerSupport("codedScale", codedScale, widenName(kernel.BF16))
	registerSupport("valueInt8", func() jen.Code {
		return docComment("valueInt8 is what a code stands for, in units of its scale.").
			Func().Id("valueInt8").Params(id("code").Uint8()).Int32().Block(
			jen.Return(jen.Int32().Call(id("code")).Op("-").Lit(kernel.CodeOfZero)))
	})
}

func codedScale() jen.Code {
	return docComment("codedScale is the scale of a row in the first or second group of a pair, whose", "unit of scales this is.").
		Func().Id("codedScale").Params(id("unit").Index().Uint8(), jen.List(id("row"), id("group")).Int()).Float32().Block(
		id("at").Op(":=").Lit(4).Op("*").Id("row").Op("+").Lit(2).Op("*").Parens(id("group").Op("&").Lit(1)),
		jen.Return(id(widenName(kernel.BF16)).Call(
			jen.Uint16().Call(id("unit").Index(id("at"))).Op("|").Uint16().Call(id("unit").Index(plus("at", 1))).Op("<<").Lit(8))),
	)
}
