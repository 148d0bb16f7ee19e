package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(keepTwin)
	registerSupport("pageTokens", func() jen.Code {
		return docComment("pageTokens is the number of tokens on a page of a cache.").
			Const().Id("pageTokens").Op("=").Lit(kernel.PageTokens)
	})
}

func keepTwin(s kernel.Keep) twin {
	t := twin{doc: "values of a run of tokens to a page of a cache, a row a token.", needs: []string{"pageTokens"}}
	at := jen.Parens(id("h").Op("*").Id("pageTokens").Op("+").Id("slot").Op("+").Id("t")).Op("*").Id("headDim").Op("+").Id("d")
	if s.Columns {
		t.doc = "keys of a run of tokens to a page of a cache, a column a token."
		at = jen.Parens(id("h").Op("*").Id("headDim").Op("+").Id("d")).Op("*").Id("pageTokens").Op("+").Id("slot").Op("+").Id("t")
	}
	t.body = []jen.Code{
		sizes(size{"headDim", s.HeadDim}, size{"strideX", s.StrideX}),
		forEach("t", id("tokens"), forEach("h", id("heads"),
			id("in").Op(":=").Add(from("x", tokenRow("strideX").Op("+").Id("h").Op("*").Id("headDim"), id("headDim"))),
			forEachOf("d", "v", id("in"), id("page").Index(at).Op("=").Id("v")),
		)),
	}
	return t
}
