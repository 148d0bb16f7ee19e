package gosrc

import (
	"maps"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/plan"
)

// loop emits the phases of a loop, the body's from a number on: a turn for each
// expert that is chosen for some row. All workers see the same weights, and so
// take the same turns.
func (s *steps) loop(g *jen.Group, phases []plan.Phase, number int) {
	weights := phases[0].Loop.Weights
	weights.Expert = 1
	inside := *s
	inside.looped, inside.splits = true, maps.Clone(s.splits)
	// Runs of rows are of the expert's, not of the call's.
	delete(inside.splits, firstToken)
	g.For(jen.Id("expert").Op(":=").Range().Lit(weights.Width)).BlockFunc(func(g *jen.Group) {
		g.Id("rows").Op(":=").Id("m").Dot("Chosen").Call(inside.view(&weights, &share{}), jen.Lit(weights.Buffer.Stride), s.tokens())
		g.If(jen.Len(jen.Id("rows")).Op("==").Lit(0)).Block(jen.Continue())
		for i := range phases {
			g.Line()
			inside.phase(g, &phases[i], number+i)
		}
	})
}
