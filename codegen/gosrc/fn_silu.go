package gosrc

import "github.com/dave/jennifer/jen"

func init() { registerSupport("silu", siluFunction) }

func siluFunction() jen.Code {
	wide := func() *jen.Statement { return jen.Float64().Call(id("x")) }
	return docComment("silu is x·σ(x) = x / (1 + e⁻ˣ), rounded once.").
		Func().Id("silu").Params(id("x").Float32()).Float32().Block(
		jen.Return(jen.Float32().Call(wide().Op("/").Parens(jen.Lit(1).Op("+").Qual("math", "Exp").Call(jen.Op("-").Add(wide()))))),
	)
}
