package gosrc

import "github.com/dave/jennifer/jen"

func init() {
	registerSupport("relu", func() jen.Code {
		return docComment("relu is the larger one of x and 0.").
			Func().Id("relu").Params(id("x").Float32()).Float32().Block(jen.Return(jen.Max(id("x"), jen.Lit(0))))
	})
	registerSupport("relu2", func() jen.Code {
		return docComment("relu2 is the square of relu.").
			Func().Id("relu2").Params(id("x").Float32()).Float32().Block(
			jen.Return(id("relu").Call(id("x")).Op("*").Id("relu").Call(id("x"))))
	}, "relu")
}
