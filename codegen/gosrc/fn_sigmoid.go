package gosrc

import "github.com/dave/jennifer/jen"

func init() { registerSupport("sigmoid", sigmoidFunction) }

func sigmoidFunction() jen.Code {
	return docComment("sigmoid is 1 / (1 + e⁻ˣ), rounded once.").
		Func().Id("sigmoid").Params(id("x").Float32()).Float32().Block(
		jen.Return(jen.Float32().Call(jen.Lit(1).Op("/").Parens(
			jen.Lit(1).Op("+").Qual("math", "Exp").Call(jen.Op("-").Float64().Call(id("x")))))),
	)
}
