package gosrc

import (
	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
)

// share is the part of a step that one call does.
type share struct {
	panel  *jen.Statement // first panel; nil: 0
	panels *jen.Statement // number of panels; nil where the kernel treats one
	row    *jen.Statement // first token; nil: 0
	tokens *jen.Statement // number of tokens

	page     *jen.Statement // of a cache, for kernels of pages
	position *jen.Statement // of the first token; nil: as position finds it
}

// of is the share's part in a run of panels.
func (p *share) of(panel, panels *jen.Statement) *share {
	return &share{panel: panel, panels: panels, row: p.row, tokens: p.tokens}
}

// split declares a worker's run [lo, hi) of n units once per body.
func (s *steps) split(g *jen.Group, key string, n jen.Code) (lo, hi string) {
	lo, hi = "lo"+key, "hi"+key
	if !s.splits[key] {
		s.splits[key] = true
		g.List(jen.Id(lo), jen.Id(hi)).Op(":=").Id("w").Dot("Split").Call(n)
	}
	return lo, hi
}

// firstToken is the name of the first token of a worker's run.
const firstToken = "first"

// tokenSplit declares a worker's run of tokens, in whole register tiles where
// there are many.
func (s *steps) tokenSplit(g *jen.Group) (lo, hi string) {
	const first, last = firstToken, "last"
	if s.splits[first] {
		return first, last
	}
	s.splits[first] = true
	n := s.tokens()
	run := g.List(jen.Id(first), jen.Id(last)).Op(":=").Id("w").Dot("Split")
	if s.mode == plan.Batch {
		run.Call(n)
		return first, last
	}
	run.Call(jen.Parens(n.Clone().Op("+").Lit(tokenBlock - 1)).Op("/").Lit(tokenBlock))
	g.List(jen.Id(first), jen.Id(last)).Op("=").List(
		jen.Id(first).Op("*").Lit(tokenBlock), jen.Min(jen.Id(last).Op("*").Lit(tokenBlock), n.Clone()))
	return first, last
}

// channels emits a step whose channels or heads are divided: one call for the
// whole run where a single token keeps it short, else panel by panel.
func (s *steps) channels(g *jen.Group, step *plan.Step, lo, hi *jen.Statement, part *share) {
	if countParam(step.Spec) != "" && (s.mode == plan.Decode || s.mode == plan.LogitsOne || step.Apart) {
		s.runs(g, step, lo, hi, part)
		return
	}
	i := jen.Id("i")
	g.For(i.Clone().Op(":=").Add(lo), i.Clone().Op("<").Add(hi), i.Clone().Op("++")).Block(
		s.call(step, part.of(i.Clone(), jen.Lit(1))))
}

// runs emits calls over a run of panels, several where one would read too much.
func (s *steps) runs(g *jen.Group, step *plan.Step, lo, hi *jen.Statement, part *share) {
	cost := step.Spec.Cost(1, 1)
	atOnce := max(1, callBytes/max(1, cost.WeightBytes+cost.StateBytes))
	if step.Panels <= atOnce {
		g.Add(s.call(step, part.of(lo, hi.Clone().Op("-").Add(lo))))
		return
	}
	i := jen.Id("i")
	g.For(i.Clone().Op(":=").Add(lo), i.Clone().Op("<").Add(hi), i.Clone().Op("+=").Lit(atOnce)).Block(
		s.call(step, part.of(i.Clone(), jen.Min(jen.Lit(atOnce), hi.Clone().Op("-").Id("i")))))
}

// allPanels emits a step that one worker does for all channels of its tokens.
func (s *steps) allPanels(g *jen.Group, step *plan.Step, part *share) {
	if !perPanel(step.Spec) {
		part.panels = jen.Lit(step.Panels)
		g.Add(s.call(step, part))
		return
	}
	part.panel = jen.Id("i")
	if step.Panels == 1 {
		part.panel = nil
		g.Add(s.call(step, part))
		return
	}
	g.For(jen.Id("i").Op(":=").Range().Lit(step.Panels)).Block(s.call(step, part))
}

// countParam is the parameter that counts panels, groups or heads, or "".
func countParam(spec kernel.Spec) string {
	for _, p := range spec.Signature() {
		if p.Name == "panels" || p.Name == "groups" || p.Name == "heads" {
			return p.Name
		}
	}
	return ""
}

// perPanel reports whether a kernel treats a single panel per call.
func perPanel(spec kernel.Spec) bool {
	switch spec.(type) {
	case kernel.Gemm, kernel.DotGemm:
		return true
	}
	return false
}

// call emits the call itself: pointers from the arguments, counts from the
// share.
func (s *steps) call(step *plan.Step, part *share) *jen.Statement {
	var args []jen.Code
	next := 0
	for _, p := range step.Spec.Signature() {
		switch p.Name {
		case "panels", "heads":
			args = append(args, part.panels)
		case "first":
			args = append(args, first(part.panel))
		case "groups":
			args = append(args, times(part.panels, kernel.PanelRows/kernel.GroupChannels))
		case "tokens":
			args = append(args, part.tokens)
		case "position":
			args = append(args, s.position(step, part))
		case "slot": // of the first token, on its page
			args = append(args, slotOf(s.position(step, part)))
		case "base": // of the page: the position of its first slot
			args = append(args, part.page.Clone().Op("*").Qual(enginePath, "PageTokens"))
		default:
			args = append(args, s.pointer(&step.Args[next], part))
			next++
		}
	}
	return jen.Id("p").Dot(kernel.GoName(step.Spec)).Call(args...)
}

// first is the number of the first panel or head.
func first(panel *jen.Statement) *jen.Statement {
	if panel == nil {
		return jen.Lit(0)
	}
	return panel.Clone()
}

// position is the place in its sequence of the first token of a share: that of
// the sequence at hand, of whose chunk the share may begin at a later row. The
// rows of a batch are sequences of their own.
func (*steps) position(step *plan.Step, part *share) *jen.Statement {
	if part.position != nil {
		return part.position.Clone()
	}
	of := jen.Id("state").Dot("Position")
	if step.Apart || part.row == nil {
		return of
	}
	return of.Op("+").Add(part.row)
}

// times is n·factor, folded where n is a literal 1.
func times(n *jen.Statement, factor int) *jen.Statement {
	if n.GoString() == "1" {
		return jen.Lit(factor)
	}
	return jen.Parens(n.Clone()).Op("*").Lit(factor)
}

// pointer emits the slice that an argument passes.
func (s *steps) pointer(a *plan.Arg, part *share) jen.Code {
	switch a.Kind {
	case plan.IDsArg:
		return slice(jen.Id("ids"), part.row)
	case plan.ScratchArg:
		return slice(jen.Id("m").Dot("Scratch"), constant(a.Start))
	case plan.RowsArg:
		return slice(jen.Id("rows"), part.row)
	case plan.WeightArg:
		return slice(jen.Id("l").Dot(s.block.Weights[a.Slot].Name), constant(a.Start), s.expert(a), advance(part.panel, a.Advance))
	case plan.StateArg:
		slot, of := &s.block.States[a.Slot], jen.Id("state").Dot("Block")
		if slot.Paged() {
			of = jen.Id("state").Dot("Page").Call(jen.Lit(slot.Cache), part.page.Clone())
		}
		return slice(of, jen.Id("l").Dot(slot.Name), constant(a.Start), advance(part.panel, a.Advance))
	}
	return s.view(a, part)
}

// view emits a buffer's slice from the columns and rows of the share on.
func (s *steps) view(a *plan.Arg, part *share) jen.Code {
	b := a.Buffer
	terms := []*jen.Statement{jen.Id(bufferName(b)), constant(a.Column), s.expert(a), advance(part.panel, a.Advance)}
	if !a.Whole {
		terms = append(terms, advance(part.row, b.Stride))
	}
	base := jen.Id("m").Dot("Arena")
	switch {
	case b.Space == plan.Private:
		base = jen.Id("m").Dot("Scratch")
	case b.Space == plan.Output:
		base, terms[0] = jen.Id("out"), nil
	case b.Carried && (s.mode == plan.LogitsOne || s.mode == plan.LogitsRows):
		terms = append(terms, advance(jen.Id("row"), b.Stride))
	}
	return slice(base, terms...)
}

// expert is how far the part of a loop's expert is from that of the first.
func (s *steps) expert(a *plan.Arg) *jen.Statement {
	if a.Expert == 1 {
		return jen.Id("expert")
	}
	return advance(jen.Id("expert"), a.Expert)
}

// constant is n, or nothing for 0.
func constant(n int) *jen.Statement {
	if n == 0 {
		return nil
	}
	return jen.Lit(n)
}

// advance is index·step, or nothing where either is missing.
func advance(index *jen.Statement, step int) *jen.Statement {
	if index == nil || step == 0 {
		return nil
	}
	return index.Clone().Op("*").Lit(step)
}

// slice is base[sum of terms:], or base without terms.
func slice(base *jen.Statement, terms ...*jen.Statement) jen.Code {
	var sum *jen.Statement
	for _, t := range terms {
		switch {
		case t == nil:
		case sum == nil:
			sum = t.Clone()
		default:
			sum = sum.Op("+").Add(t)
		}
	}
	if sum == nil {
		return base
	}
	return base.Clone().Index(sum.Op(":"))
}
