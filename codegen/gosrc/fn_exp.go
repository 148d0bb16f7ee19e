package gosrc

import "github.com/dave/jennifer/jen"

func init() { registerSupport("exp", expFunction) }

func expFunction() jen.Code {
	return docComment("exp is eˣ, rounded once.").
		Func().Id("exp").Params(id("x").Float32()).Float32().Block(
		jen.Return(jen.Float32().Call(jen.Qual("math", "Exp").Call(jen.Float64().Call(id("x"))))),
	)
}
