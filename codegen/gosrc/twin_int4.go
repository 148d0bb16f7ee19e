package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

// In int4 a unit of multiples stands before each group, and one of the scales of
// rows, which these are multiples of, before all.
func init() {
	format, _ := kernel.Int4.Coded()
	multiple := func(of *jen.Statement) *jen.Statement {
		return jen.Int32().Call(jen.Int8().Call(id("scales").Index(jen.Lit(4).Op("*").Id("r").Op("+").Add(of))))
	}
	rowScale := func() *jen.Statement { return id("rowScale").Call(id("panel"), id("r")) }
	registerCoded(kernel.Int4, &codedPanel{
		start: func() []jen.Code {
			return []jen.Code{
				id("scales").Op(":=").Id("panel").Index(id("unit").Op("+").Id("g").Op("*").Id("groupBytes"), jen.Empty()),
				id("codes").Op(":=").Id("scales").Index(id("unit"), jen.Empty()),
			}
		},
		sizes: []size{{"groupBytes", kernel.UnitBytes * (1 + format.Inputs/kernel.Int4.UnitColumns())}},
		code:  func(b *jen.Statement) *jen.Statement { return b.Op(">>").Parens(id("k").Op("&").Lit(4)) },
		number: func(code jen.Code) *jen.Statement {
			return id("valueInt4").Call(code).Op("*").Add(multiple(id("k").Op("/").Lit(format.Group)))
		},
		scale: rowScale,
		quadSum: func(sum *jen.Statement) *jen.Statement {
			return multiple(id("q").Op("/").Lit(format.Group / 4)).Op("*").Parens(sum)
		},
		groupSum: func(inputs *jen.Statement) *jen.Statement { return inputs },
		rowSum:   []jen.Code{forEach("r", id("acc"), id("acc").Index(id("r")).Op("*=").Add(rowScale()))},
		needs:    []string{"rowScale", "valueInt4"},
	})
	registerSupport("rowScale", func() jen.Code {
		return docComment("rowScale is the scale of a row of a packed panel of codes.").
			Func().Id("rowScale").Params(id("panel").Index().Uint8(), id("row").Int()).Float32().Block(
			id("four").Op(":=").Add(from("panel", jen.Lit(4).Op("*").Id("row"), jen.Lit(4))),
			jen.Return(id(widenName(kernel.BF16)).Call(jen.Uint16().Call(id("four").Index(jen.Lit(2))).Op("|").Uint16().Call(id("four").Index(jen.Lit(3))).Op("<<").Lit(8))))
	}, widenName(kernel.BF16))
	registerSupport("valueInt4", valueInt4)
}

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
