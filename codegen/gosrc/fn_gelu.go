package gosrc

import (
	"math"

	"github.com/dave/jennifer/jen"
)

func init() {
	registerSupport("gelu", geluFunction)
	registerSupport("geluTanh", geluTanhFunction)
}

// geluFunction takes the complement, which keeps its digits far below zero.
func geluFunction() jen.Code {
	wide := func() *jen.Statement { return jen.Float64().Call(id("x")) }
	return docComment("gelu is x·Φ(x) = ½x·erfc(−x/√2), rounded once.").
		Func().Id("gelu").Params(id("x").Float32()).Float32().Block(
		jen.Return(jen.Float32().Call(wide().Op("/").Lit(2).Op("*").Qual("math", "Erfc").Call(
			jen.Op("-").Add(wide()).Op("/").Qual("math", "Sqrt2")))),
	)
}

// geluTanhFunction uses ½(1 + tanh(v)) = σ(2v).
func geluTanhFunction() jen.Code {
	return docComment("geluTanh is x·σ(2v) = ½x·(1 + tanh(v)) with v = √(2/π)·(x + 0.044715·x³), rounded once.").
		Func().Id("geluTanh").Params(id("x").Float32()).Float32().Block(
		id("wide").Op(":=").Float64().Call(id("x")),
		id("v").Op(":=").Lit(math.Sqrt(2/math.Pi)).Op("*").Parens(
			id("wide").Op("+").Lit(0.044715).Op("*").Id("wide").Op("*").Id("wide").Op("*").Id("wide")),
		jen.Return(jen.Float32().Call(id("wide").Op("/").Parens(jen.Lit(1).Op("+").Qual("math", "Exp").Call(
			jen.Lit(-2).Op("*").Id("v"))))),
	)
}
