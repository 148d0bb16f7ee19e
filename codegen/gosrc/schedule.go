package gosrc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/plan"
)

// program emits the entry of decode, batch or prefill and the blocks' code in
// it.
func (e *emitter) program(f *jen.File, mode plan.Mode) {
	entry := f.Commentf("%s implements engine.Program.", title(string(mode))).Line().
		Func().Params(jen.Id("p").Op("*").Id("program")).Id(title(string(mode)))
	if mode == plan.Decode {
		entry.Params(append(callParams(mode), jen.Id("id").Int32())...)
	} else {
		entry.Params(append(callParams(mode), jen.Id("ids").Index().Int32())...)
	}
	entry.BlockFunc(func(g *jen.Group) {
		if mode == plan.Decode {
			g.If(jen.Id("w").Dot("ID").Op("==").Lit(0)).Block(jen.Id("p").Dot("token").Index(jen.Lit(0)).Op("=").Id("id"))
		}
		e.calls(g, mode)
	})
	for _, b := range e.Plan.Blocks {
		if body := b.Body(mode); body != nil {
			e.body(f, b, body)
		}
	}
}

// callParams is what a program gets from the engine.
func callParams(mode plan.Mode) []jen.Code {
	state := jen.Id(stateParam(mode))
	if mode == plan.Batch {
		state.Index()
	}
	return []jen.Code{
		jen.Id("w").Op("*").Qual(parallelPath, "Worker"),
		jen.Id("m").Op("*").Qual(enginePath, "Memory"),
		state.Op("*").Qual(enginePath, "Sequence"),
	}
}

// stateParam is the name of the parameter that holds the state, or one for each
// row of a batch.
func stateParam(mode plan.Mode) string {
	if mode == plan.Batch {
		return "states"
	}
	return "state"
}

// calls emits the walk over the table of layers: a loop per run of calls of
// one block.
func (e *emitter) calls(g *jen.Group, mode plan.Mode) {
	next := map[*plan.Block]int{}
	for i := 0; i < len(e.Plan.Calls); {
		b := e.Plan.Calls[i].Block
		n := 1
		for i+n < len(e.Plan.Calls) && e.Plan.Calls[i+n].Block == b {
			n++
		}
		if body := b.Body(mode); body != nil {
			call := func(index jen.Code) jen.Code {
				return jen.Id("p").Dot(bodyName(b, mode)).Call(append([]jen.Code{
					jen.Id("w"), jen.Id("m"), jen.Id(stateParam(mode)), jen.Op("&").Id("p").Dot(b.Name).Index(index)},
					idArgs(body, mode)...)...)
			}
			e.loop(g, next[b], n, mode, e.thenTaps(call, i, n, i-next[b], mode))
		}
		next[b] += n
		i += n
	}
}

// loop emits n calls from first on. A prefill can be halted before each: its
// caller brings the state back.
func (e *emitter) loop(g *jen.Group, first, n int, mode plan.Mode, call func(jen.Code) jen.Code) {
	if n == 1 {
		g.Add(call(jen.Lit(first)))
		return
	}
	more := jen.Id("i").Op("<").Lit(first + n)
	if mode == plan.Prefill {
		more.Op("&&").Op("!").Id("w").Dot("Halted").Call()
	}
	g.For(jen.Id("i").Op(":=").Lit(first), more, jen.Id("i").Op("++")).Block(call(jen.Id("i")))
}

// idArgs is what a body needs besides the block: the ids, or their number.
func idArgs(body *plan.Body, mode plan.Mode) []jen.Code {
	switch {
	case mode == plan.Decode && usesIDs(body):
		return []jen.Code{jen.Id("p").Dot("token")}
	case mode == plan.Decode:
		return nil
	case usesIDs(body):
		return []jen.Code{jen.Id("ids")}
	case mode == plan.Batch: // there are as many states
		return nil
	}
	return []jen.Code{jen.Len(jen.Id("ids"))}
}

func usesIDs(body *plan.Body) bool {
	for _, phase := range body.Phases {
		for _, s := range phase.Steps {
			if slices.ContainsFunc(s.Args, func(a plan.Arg) bool { return a.Kind == plan.IDsArg }) {
				return true
			}
		}
	}
	return false
}

func bodyName(b *plan.Block, mode plan.Mode) string {
	return map[plan.Mode]string{plan.Decode: "decode", plan.Batch: "batch", plan.Prefill: "prefill",
		plan.LogitsOne: "one", plan.LogitsRows: "rows"}[mode] + title(b.Name)
}

// logits emits the head: one row by the matrix-vector kernels, several by the
// matrix kernels.
func (e *emitter) logits(f *jen.File) {
	head := e.Plan.Calls[len(e.Plan.Calls)-1].Block
	block := jen.Op("&").Id("p").Dot(head.Name).Index(jen.Lit(0))
	f.Comment("Logits implements engine.Program.")
	f.Func().Params(jen.Id("p").Op("*").Id("program")).Id("Logits").Params(
		callParams(plan.LogitsRows)[0], callParams(plan.LogitsRows)[1],
		jen.List(jen.Id("row"), jen.Id("rows")).Int(), jen.Id("out").Index().Float32(),
	).Block(
		jen.If(jen.Id("rows").Op("==").Lit(1)).Block(
			jen.Id("p").Dot(bodyName(head, plan.LogitsOne)).Call(jen.Id("w"), jen.Id("m"), block.Clone(), jen.Id("row"), jen.Id("out")),
			jen.Return(),
		),
		jen.Id("p").Dot(bodyName(head, plan.LogitsRows)).Call(jen.Id("w"), jen.Id("m"), block.Clone(), jen.Id("row"), jen.Id("rows"), jen.Id("out")),
	)
	e.body(f, head, head.Body(plan.LogitsOne))
	e.body(f, head, head.Body(plan.LogitsRows))
}

// body emits the function of a block in one mode: its phases in order, with a
// barrier after each.
func (e *emitter) body(f *jen.File, b *plan.Block, body *plan.Body) {
	s := &steps{emitter: e, block: b, mode: body.Mode, ids: usesIDs(body), splits: map[string]bool{}}
	docf(f, "%s runs one %s, with a barrier after each of its phases.", bodyName(b, body.Mode), b.Name)
	f.Func().Params(jen.Id("p").Op("*").Id("program")).Id(bodyName(b, body.Mode)).Params(s.params()...).
		BlockFunc(func(g *jen.Group) {
			number := 0
			for _, part := range body.Parts() {
				if number > 0 {
					g.Line()
				}
				if part[0].Loop != nil {
					s.loop(g, part, number)
				} else {
					s.phase(g, &part[0], number)
				}
				number += len(part)
			}
		})
}

// phase emits one phase, the body's of that number, and its barrier.
func (s *steps) phase(g *jen.Group, phase *plan.Phase, number int) {
	g.Comment(phaseComment(number, phase))
	for i := range phase.Steps {
		s.step(g, &phase.Steps[i])
	}
	g.Id("w").Dot("Barrier").Call()
}

func phaseComment(i int, phase *plan.Phase) string {
	var kinds []string
	for _, s := range phase.Steps {
		if k := s.Spec.Kind(); len(kinds) == 0 || kinds[len(kinds)-1] != k {
			kinds = append(kinds, k)
		}
	}
	return fmt.Sprintf("Phase %d: %s.", i+1, strings.Join(kinds, ", "))
}

// steps emits the kernel calls of one body.
type steps struct {
	*emitter
	block  *plan.Block
	mode   plan.Mode
	ids    bool            // the body has the ids, so the number of tokens is their length
	splits map[string]bool // bounds that are already declared
	looped bool            // in a loop over experts, whose rows are listed
}

func (s *steps) params() []jen.Code {
	p := callParams(s.mode)
	block := jen.Id("l").Op("*").Id(blockType(s.block))
	out := jen.Id("out").Index().Float32()
	switch s.mode {
	case plan.LogitsOne:
		return []jen.Code{p[0], p[1], block, jen.Id("row").Int(), out}
	case plan.LogitsRows:
		return []jen.Code{p[0], p[1], block, jen.List(jen.Id("row"), jen.Id("tokens")).Int(), out}
	}
	p = append(p, block)
	switch {
	case s.ids:
		p = append(p, jen.Id("ids").Index().Int32())
	case s.mode == plan.Prefill:
		p = append(p, jen.Id("tokens").Int())
	}
	return p
}

// tokens is the number of rows that the body treats.
func (s *steps) tokens() *jen.Statement {
	switch {
	case s.mode == plan.Decode || s.mode == plan.LogitsOne:
		return jen.Lit(1)
	case s.looped:
		return jen.Len(jen.Id("rows"))
	case s.mode == plan.Batch:
		return jen.Len(jen.Id("states"))
	case s.ids:
		return jen.Len(jen.Id("ids"))
	}
	return jen.Id("tokens")
}

// tokenBlock is the granule of a split over a chunk's tokens: the height of a
// register tile.
const tokenBlock = 8

// callBytes bounds what one kernel call reads, so that it stays well under a
// millisecond: assembly cannot be preempted.
const callBytes = 8 << 20

// step emits one kernel call, with the loop over panels that it needs.
func (s *steps) step(g *jen.Group, step *plan.Step) {
	if paged(step.Spec) {
		s.paged(g, step)
		return
	}
	switch step.Split {
	case plan.ByChannels, plan.ByHeads:
		lo, hi := s.split(g, strconv.Itoa(step.Panels), jen.Lit(step.Panels))
		s.rows(g, step, func(g *jen.Group, part *share) { s.channels(g, step, jen.Id(lo), jen.Id(hi), part) })
	case plan.ByTokens:
		lo, hi := s.tokenSplit(g)
		n := jen.Id(hi).Op("-").Id(lo)
		s.allPanels(g, step, &share{row: jen.Id(lo), tokens: n})
	case plan.One:
		g.If(jen.Id("w").Dot("ID").Op("==").Lit(0)).BlockFunc(func(g *jen.Group) {
			s.rows(g, step, func(g *jen.Group, part *share) { s.allPanels(g, step, part) })
		})
	case plan.Each:
		s.rows(g, step, func(g *jen.Group, part *share) { s.allPanels(g, step, part) })
	}
}

// rows emits a step's share of the tokens: all of them, or one after the other,
// each with its sequence's state.
func (s *steps) rows(g *jen.Group, step *plan.Step, emit func(*jen.Group, *share)) {
	if !step.Apart {
		emit(g, &share{tokens: s.tokens()})
		return
	}
	g.For(jen.List(jen.Id("row"), jen.Id("state")).Op(":=").Range().Id("states")).BlockFunc(func(g *jen.Group) {
		emit(g, &share{row: jen.Id("row"), tokens: jen.Lit(1)})
	})
}
