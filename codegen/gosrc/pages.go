package gosrc

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
)

// cachesOf is what a program tells the engine of its caches.
func cachesOf(p *plan.Plan) jen.Code {
	return jen.Index().Qual(enginePath, "Cache").ValuesFunc(func(g *jen.Group) {
		for _, c := range p.Caches {
			g.Values(jen.Dict{jen.Id("Page"): jen.Lit(c.Page), jen.Id("Window"): jen.Lit(c.Window)})
		}
	})
}

// paged reports whether a kernel treats one page of a cache.
func paged(spec kernel.Spec) bool {
	switch spec.(type) {
	case kernel.Keep, kernel.Attend:
		return true
	}
	return false
}

// paged emits the calls of such a kernel, page after page.
func (s *steps) paged(g *jen.Group, step *plan.Step) {
	switch {
	case step.Spec.Kind() == "attend" && s.mode == plan.Prefill:
		s.attendChunk(g, step)
	case step.Spec.Kind() == "attend":
		s.attendToken(g, step)
	case s.mode == plan.Prefill:
		s.keepChunk(g, step)
	default:
		s.keepToken(g, step)
	}
}

// pageOf is the page of a position; slotOf the slot on it.
func pageOf(position *jen.Statement) *jen.Statement {
	return position.Clone().Op("/").Qual(enginePath, "PageTokens")
}

func slotOf(position *jen.Statement) *jen.Statement {
	return position.Clone().Op("%").Qual(enginePath, "PageTokens")
}

// firstPage is the first page that a token at a position looks back at.
func firstPage(window int, position *jen.Statement) *jen.Statement {
	switch window {
	case 0:
		return jen.Lit(0)
	case 1:
		return pageOf(position)
	}
	return pageOf(jen.Max(jen.Lit(0), position.Clone().Op("-").Lit(window-1)))
}

// pages emits the loop over the pages from first to last.
func pages(first, last *jen.Statement, body jen.Code) jen.Code {
	return jen.For(jen.Id("page").Op(":=").Add(first), jen.Id("page").Op("<=").Add(last), jen.Id("page").Op("++")).Block(body)
}

// attendToken attends with one token of each sequence: a worker has a run of
// heads.
func (s *steps) attendToken(g *jen.Group, step *plan.Step) {
	lo, hi := s.split(g, strconv.Itoa(step.Panels)+"heads", jen.Lit(step.Panels))
	position := jen.Id("state").Dot("Position")
	s.rows(g, step, func(g *jen.Group, part *share) {
		g.For(jen.Id("head").Op(":=").Id(lo), jen.Id("head").Op("<").Id(hi), jen.Id("head").Op("++")).Block(
			pages(firstPage(step.Spec.(kernel.Attend).Window, position), pageOf(position),
				s.call(step, &share{panel: jen.Id("head"), row: part.row, tokens: part.tokens, page: jen.Id("page")})))
	})
}

// attendChunk attends with a chunk: a worker has a run of heads, each with a run
// of tokens.
func (s *steps) attendChunk(g *jen.Group, step *plan.Step) {
	const blocks = "tokenBlocks"
	if !s.splits[blocks] {
		s.splits[blocks] = true
		g.Id(blocks).Op(":=").Parens(s.tokens().Op("+").Lit(kernel.AttendRows - 1)).Op("/").Lit(kernel.AttendRows)
	}
	lo, hi := s.split(g, strconv.Itoa(step.Panels)+"heads", jen.Lit(step.Panels).Op("*").Id(blocks))
	position := jen.Id("at")
	last := pageOf(jen.Parens(jen.Id("at").Op("+").Id("rows").Op("-").Lit(1)))
	g.For(jen.Id("unit").Op(":=").Id(lo), jen.Id("unit").Op("<").Id(hi), jen.Id("unit").Op("++")).Block(
		jen.List(jen.Id("head"), jen.Id("row")).Op(":=").List(jen.Id("unit").Op("/").Id(blocks), jen.Id("unit").Op("%").Id(blocks).Op("*").Lit(kernel.AttendRows)),
		jen.List(jen.Id("at"), jen.Id("rows")).Op(":=").List(jen.Id("state").Dot("Position").Op("+").Id("row"), jen.Min(jen.Lit(kernel.AttendRows), s.tokens().Op("-").Id("row"))),
		pages(firstPage(step.Spec.(kernel.Attend).Window, position), last,
			s.call(step, &share{panel: jen.Id("head"), row: jen.Id("row"), tokens: jen.Id("rows"), page: jen.Id("page"), position: position})),
	)
}

// keepToken keeps one token of each sequence: a worker has a run of heads.
func (s *steps) keepToken(g *jen.Group, step *plan.Step) {
	lo, hi := s.split(g, strconv.Itoa(step.Panels)+"heads", jen.Lit(step.Panels))
	position := jen.Id("state").Dot("Position")
	s.rows(g, step, func(g *jen.Group, part *share) {
		g.Add(s.call(step, &share{panel: jen.Id(lo), panels: jen.Id(hi).Op("-").Id(lo), row: part.row, tokens: part.tokens, page: pageOf(position)}))
	})
}

// keepChunk keeps a chunk: a worker has a run of tokens, which may lie on
// several pages.
func (s *steps) keepChunk(g *jen.Group, step *plan.Step) {
	first, last := s.tokenSplit(g)
	g.For(jen.Id("row").Op(":=").Id(first), jen.Id("row").Op("<").Id(last), jen.Empty()).Block(
		jen.Id("at").Op(":=").Id("state").Dot("Position").Op("+").Id("row"),
		jen.Id("rows").Op(":=").Min(jen.Qual(enginePath, "PageTokens").Op("-").Add(slotOf(jen.Id("at"))), jen.Id(last).Op("-").Id("row")),
		s.call(step, &share{panels: jen.Lit(step.Panels), row: jen.Id("row"), tokens: jen.Id("rows"), page: pageOf(jen.Id("at")), position: jen.Id("at")}),
		jen.Id("row").Op("+=").Id("rows"),
	)
}
