package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

func init() {
	registerTwin(convTwin)
	registerSupport("groupChannels", func() jen.Code {
		return docComment("groupChannels is the number of channels that a kernel treats together.").
			Const().Id("groupChannels").Op("=").Lit(kernel.GroupChannels)
	})
}

// convTwin shifts the window at every token, so that y may be x.
func convTwin(s kernel.Conv) twin {
	t := twin{
		doc:   "y[t,c] = " + convFormula(s) + " over the window and the run of tokens.",
		needs: []string{"groupChannels"},
	}
	value := id("sum")
	if s.Bias {
		value = value.Op("+").Id("bias").Index(id("c"))
	}
	if s.Activation != kernel.NoActivation {
		value = id(string(s.Activation)).Call(value)
		t.needs = append(t.needs, string(s.Activation))
	}
	last := jen.Parens(id("taps").Op("-").Lit(1)).Op("*").Id("channels").Op("+").Id("c")
	names := []size{{"taps", s.Taps}, {"channels", s.Channels}, {"strideX", s.StrideX}, {"strideY", s.StrideY}}
	channel := []jen.Code{
		id("in").Op(":=").Id("x").Index(tokenRow("strideX").Op("+").Id("c")),
		id("sum").Op(":=").Add(rounded(id("w").Index(last), id("in"))),
		id("y").Index(tokenRow("strideY").Op("+").Id("c")).Op("=").Add(value),
	}
	if s.Taps > 1 {
		channel = windowedChannel(value)
	} else {
		names = []size{{"strideX", s.StrideX}, {"strideY", s.StrideY}}
		channel[1] = id("sum").Op(":=").Add(rounded(id("w").Index(id("c")), id("in")))
	}
	t.body = []jen.Code{
		sizes(names...),
		forEach("t", id("tokens"), forEach("c", id("groups").Op("*").Id("groupChannels"), channel...)),
	}
	return t
}

func windowedChannel(value jen.Code) []jen.Code {
	at := id("j").Op("*").Id("channels").Op("+").Id("c")
	last := func(back int) *jen.Statement {
		return jen.Parens(id("taps").Op("-").Lit(back)).Op("*").Id("channels").Op("+").Id("c")
	}
	return []jen.Code{
		id("in").Op(":=").Id("x").Index(tokenRow("strideX").Op("+").Id("c")),
		jen.Var().Id("sum").Float32(),
		forEach("j", id("taps").Op("-").Lit(1),
			id("sum").Op("+=").Add(rounded(id("w").Index(at.Clone()), id("window").Index(at.Clone()))),
		),
		id("sum").Op("+=").Add(rounded(id("w").Index(last(1)), id("in"))),
		forEach("j", id("taps").Op("-").Lit(2),
			id("window").Index(at.Clone()).Op("=").Id("window").Index(jen.Parens(plus("j", 1)).Op("*").Id("channels").Op("+").Id("c")),
		),
		id("window").Index(last(2)).Op("=").Id("in"),
		id("y").Index(tokenRow("strideY").Op("+").Id("c")).Op("=").Add(value),
	}
}

func convFormula(s kernel.Conv) string {
	formula := "Σ_j w[j,c]·x[t-K+1+j,c]"
	if s.Bias {
		formula += " + bias[c]"
	}
	if s.Activation != kernel.NoActivation {
		formula = string(s.Activation) + "(" + formula + ")"
	}
	return formula
}
