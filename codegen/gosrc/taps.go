package gosrc

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/plan"
)

// thenTaps is the call of a block, followed in a prefill by handing out the taps
// of its region: the calls are n of the plan from first on, whose numbers are
// those of the block's and offset more.
func (e *emitter) thenTaps(call func(jen.Code) jen.Code, first, n, offset int, mode plan.Mode) func(jen.Code) jen.Code {
	tapped := slices.ContainsFunc(e.Plan.Taps, func(t plan.Tap) bool { return t.Call >= first && t.Call < first+n })
	if mode != plan.Prefill || !tapped {
		return call
	}
	return func(index jen.Code) jen.Code {
		number := jen.Add(index)
		if offset > 0 {
			number.Op("+").Lit(offset)
		}
		return jen.Add(call(index)).Line().Id("m").Dot("HandOut").Call(jen.Id("w"), number, jen.Len(jen.Id("ids")))
	}
}

// taps emits where prefill leaves what it hands out.
func (e *emitter) taps() jen.Code {
	return jen.Index().Qual(enginePath, "Tap").ValuesFunc(func(g *jen.Group) {
		for _, t := range e.Plan.Taps {
			g.Line().Values(jen.Dict{
				jen.Id("Name"): jen.Lit(t.Name), jen.Id("Call"): jen.Lit(t.Call),
				jen.Id("At"): jen.Id(bufferName(t.Buffer)).Op("+").Lit(t.Column), jen.Id("Stride"): jen.Lit(t.Buffer.Stride),
				jen.Id("Width"): jen.Lit(t.Width),
			})
		}
		g.Line()
	})
}
