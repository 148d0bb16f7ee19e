package gosrc

import "github.com/dave/jennifer/jen"

func init() { registerSupport("softplus", softplusFunction) }

func softplusFunction() jen.Code {
	return docComment("softplus is log(1 + eˣ), rounded once, and x itself above 20.").
		Func().Id("softplus").Params(id("x").Float32()).Float32().Block(
		jen.If(id("x").Op(">").Lit(20)).Block(jen.Return(id("x"))),
		jen.Return(jen.Float32().Call(jen.Qual("math", "Log1p").Call(jen.Qual("math", "Exp").Call(jen.Float64().Call(id("x")))))),
	)
}
