package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(gatherTwin)
	registerTwin(scatterTwin)
	registerTwin(weighTwin)
}

// chosenRow is where the row of the input lies that row t of the call is: an
// element of rows.
func chosenRow(stride string) *jen.Statement {
	return jen.Int().Call(id("rows").Index(id("t"))).Op("*").Id(stride)
}

func gatherTwin(s kernel.Gather) twin {
	return twin{
		doc: "y[t] = x[rows[t]].",
		body: []jen.Code{
			sizes(size{"width", s.Width}, size{"strideX", s.StrideX}, size{"strideY", s.StrideY}),
			forEach("t", id("tokens"),
				jen.Copy(id("y").Index(tokenRow("strideY"), jen.Empty()), from("x", chosenRow("strideX"), id("width")))),
		},
	}
}

func scatterTwin(s kernel.Scatter) twin {
	return twin{
		doc: "y[rows[t]] += x[t].",
		body: []jen.Code{
			sizes(size{"width", s.Width}, size{"strideX", s.StrideX}, size{"strideY", s.StrideY}),
			forEach("t", id("tokens"),
				id("sum").Op(":=").Add(from("y", chosenRow("strideY"), id("width"))),
				forEachOf("i", "v", from("x", tokenRow("strideX"), id("width")), id("sum").Index(id("i")).Op("+=").Id("v"))),
		},
	}
}

func weighTwin(s kernel.Weigh) twin {
	return twin{
		doc: "y[t] = y[t]·w[rows[t]].",
		body: []jen.Code{
			sizes(size{"width", s.Width}, size{"strideY", s.StrideY}, size{"strideW", s.StrideW}),
			forEach("t", id("tokens"),
				id("weight").Op(":=").Id("w").Index(chosenRow("strideW")),
				id("row").Op(":=").Add(from("y", tokenRow("strideY"), id("width"))),
				forEach("i", id("row"), id("row").Index(id("i")).Op("*=").Id("weight"))),
		},
	}
}
