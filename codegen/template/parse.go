package template

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// structures are the blocks that gonja's parser may meet, by their first word.
type structures struct {
	*source
	depth int // of blocks
	loops int // that are being parsed
	err   error
}

// parse reads a template.
func (s *source) parse() ([]statement, error) {
	list, err := s.tokens()
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		t.Line, t.Col = s.line(t.Pos), 0
	}
	// Values are printed by a block of ours, so that expressions come to our
	// reader, not gonja's.
	var prepared []*tokens.Token
	for _, t := range list {
		switch t.Type {
		case tokens.VariableBegin:
			t.Type = tokens.BlockBegin
			prepared = append(prepared, t, &tokens.Token{Type: tokens.Name, Val: printWord, Pos: t.Pos, Line: t.Line})
			continue
		case tokens.VariableEnd:
			t.Type = tokens.BlockEnd
		}
		prepared = append(prepared, t)
	}
	b := &structures{source: s}
	p := parser.NewParser("chat_template", tokens.NewStream(prepared), config.New(), nil, b)
	tree, err := p.Parse()
	if b.err != nil {
		return nil, b.err
	}
	if err != nil {
		return nil, s.syntax(err)
	}
	return b.statements(tree.Nodes), nil
}

// printWord is the name of the block that {{ }} becomes; no template can name it.
const printWord = "{{"

// syntax is an error of gonja's parser as one of ours.
func (s *source) syntax(err error) error {
	if e := (*parser.SyntaxError)(nil); errors.As(err, &e) && e.Line > 0 {
		return fmt.Errorf("line %d: %s", e.Line, unsupported(e.Message))
	}
	return fmt.Errorf("syntax: %w", err)
}

// Get implements parser.ControlStructureGetter.
func (b *structures) Get(word string) (parser.ControlStructureParser, bool) {
	parse, ok := map[string]func(*blockParser) statement{
		printWord: (*blockParser).output, "set": (*blockParser).set, "if": (*blockParser).condition, "for": (*blockParser).loop,
		"break": (*blockParser).jump, "continue": (*blockParser).jump, "macro": (*blockParser).macro, "call": (*blockParser).call,
		"filter": (*blockParser).filter, "with": (*blockParser).with, "generation": (*blockParser).generation, "raw": (*blockParser).raw,
	}[word]
	if !ok {
		return nil, false
	}
	return func(p, args *parser.Parser) (nodes.ControlStructure, error) {
		bp := &blockParser{structures: b, parser: p, word: word}
		bp.reader = b.reader(args, p)
		bp.at = at(bp.reader.pos())
		if b.depth++; b.depth > limitDepth {
			return nil, b.fail(b.errorf(int(bp.at), "blocks nested more than %d deep", limitDepth))
		}
		defer func() { b.depth-- }()
		s := parse(bp)
		if err := bp.finish(); err != nil {
			return nil, b.fail(err)
		}
		return s, nil
	}, true
}

// fail keeps the first error, which gonja's parser wraps on its way.
func (b *structures) fail(err error) error {
	if b.err == nil {
		b.err = err
	}
	return b.err
}

// reader reads what stands in a block beside its name; behind is the parser of
// what follows.
func (b *structures) reader(args, behind *parser.Parser) *reader {
	r := &reader{source: b.source, end: len(b.text)}
	for ; !args.End(); args.Consume() {
		r.tokens = append(r.tokens, args.Current())
	}
	if n := len(r.tokens); n > 0 {
		r.end = r.tokens[n-1].Pos
	} else if t := behind.Current(); t != nil && t.Type != tokens.EOF {
		r.end = t.Pos
	}
	return r
}

// statements takes the statements out of gonja's nodes.
func (b *structures) statements(list []nodes.Node) []statement {
	var statements []statement
	for _, n := range list {
		switch n := n.(type) {
		case *nodes.Data:
			if n.Data.Val != "" {
				statements = append(statements, &text{place{at(n.Data.Pos)}, n.Data.Val})
			}
		case *nodes.ControlStructureBlock:
			if raw, ok := n.ControlStructure.(*scoped); ok && n.Name == "raw" {
				statements = append(statements, raw.body.statements...)
			} else {
				statements = append(statements, n.ControlStructure.(statement))
			}
		}
	}
	return statements
}

// blockParser parses one block.
type blockParser struct {
	*structures
	*reader
	parser *parser.Parser
	word   string
	at     at
}

func (p *blockParser) place() place { return place{p.at} }

// errorf is an error of the block, which ends it.
func (p *blockParser) errorf(format string, args ...any) { p.reader.fail(int(p.at), format, args...) }

// until parses what follows up to a block of one of these names, which it
// returns with a reader of what stands there.
func (p *blockParser) until(words ...string) (body *block, word string, rest *reader) {
	body = &block{}
	if p.finish() != nil {
		return body, "", p.reader
	}
	wrapper, args, err := p.parser.WrapUntil(words...)
	if err != nil {
		p.reader.err = p.structures.fail(p.syntax(err))
		return body, "", p.reader
	}
	body.statements = p.statements(wrapper.Nodes)
	return body, wrapper.EndTag, p.structures.reader(args, p.parser)
}

// body parses what follows up to the end of the block, at which nothing else may
// stand, a name apart where the block has one.
func (p *blockParser) body(named string) *block {
	body, _, rest := p.until("end" + p.word)
	if named != "" {
		rest.accept(named)
	}
	p.adopt(rest)
	return body
}

// adopt takes over the error of another reader.
func (p *blockParser) adopt(r *reader) {
	if err := r.finish(); err != nil && p.reader.err == nil {
		p.reader.err = err
	}
}

func (p *blockParser) output() statement { return &output{p.place(), p.tuple(p.expression)} }

func (p *blockParser) jump() statement {
	if p.loops == 0 {
		p.errorf("%s outside of a loop", p.word)
	}
	return &jump{p.place(), p.word}
}

// target is a name that is assigned to.
func (r *reader) target() *name {
	t := &name{at: at(r.pos())}
	if t.name = r.name(); reserved[t.name] {
		r.fail(t.pos(), "syntax: %q cannot be assigned to", t.name)
	}
	return t
}

// reserved are names with a meaning of their own.
var reserved = map[string]bool{
	"true": true, "false": true, "none": true, "True": true, "False": true, "None": true,
	"and": true, "or": true, "not": true, "in": true, "is": true, "if": true, "else": true, "loop": true, "caller": true,
}

// targets are names between commas, up to a word.
func (r *reader) targets(end string) []*name {
	closing := r.accept("(")
	list := []*name{r.target()}
	for r.accept(",") && !r.is(end, ")") {
		list = append(list, r.target())
	}
	if closing {
		r.expect(")")
	}
	return list
}

func (p *blockParser) set() statement {
	targets := p.targets("=")
	attribute := ""
	if len(targets) == 1 && p.accept(".") {
		attribute = p.name()
	}
	if p.accept("=") {
		return &assignment{p.place(), targets, attribute, p.tuple(p.expression)}
	}
	if len(targets) > 1 {
		p.unexpected()
	}
	value := p.filters(&captured{p.at})
	return &capture{p.place(), targets[0], attribute, value, p.outsideLoops("")}
}

func (p *blockParser) filter() statement {
	value := p.reader.filters(p.reader.filter(int(p.at), &captured{p.at}))
	return &capture{place: p.place(), value: value, body: p.outsideLoops("")}
}

func (p *blockParser) condition() statement {
	c := &condition{place: p.place()}
	is := p.tuple(p.or)
	for p.err() == nil {
		body, word, rest := p.until("elif", "else", "endif")
		c.branches = append(c.branches, branch{is, body.statements})
		if len(c.branches) > limitChain {
			p.errorf("more than %d conditions", limitChain)
		}
		if word == "elif" {
			is = rest.tuple(rest.or)
			p.adopt(rest)
			continue
		}
		p.adopt(rest)
		if word == "else" {
			body, _, rest = p.until("endif")
			c.otherwise = body.statements
			p.adopt(rest)
		}
		break
	}
	return c
}

func (p *blockParser) err() error { return p.reader.err }

func (p *blockParser) loop() statement {
	l := &loop{place: p.place(), targets: p.targets("in")}
	p.expect("in")
	l.over = p.tuple(p.or, "recursive", "if")
	if p.accept("if") {
		l.only = p.expression()
	}
	if p.is("recursive") {
		p.errorf("recursive loops are not supported")
	}
	p.loops++
	var word string
	var rest *reader
	l.body, word, rest = p.until("else", "endfor")
	p.loops--
	p.adopt(rest)
	if word == "else" {
		l.otherwise, _, rest = p.until("endfor")
		p.adopt(rest)
	}
	return l
}

// signature reads parameters in parentheses, then the block.
func (p *blockParser) signature(parameters bool, end string) *signature {
	s := &signature{}
	for first := true; parameters && p.err() == nil && !p.accept(")"); first = false {
		if !first {
			p.expect(",")
		}
		if p.is("*", "**") {
			p.errorf("parameters that take all other arguments are not supported")
		}
		s.params = append(s.params, p.target())
		var missing expression
		if p.accept("=") {
			missing = p.expression()
		} else if n := len(s.defaults); n > 0 && s.defaults[n-1] != nil {
			p.errorf("syntax: a parameter without a value behind one with a value")
		}
		s.defaults = append(s.defaults, missing)
	}
	return s
}

// outsideLoops parses the body of a block that a loop cannot be left from.
func (p *blockParser) outsideLoops(named string) *block {
	loops := p.loops
	p.loops = 0
	defer func() { p.loops = loops }()
	return p.body(named)
}

func (p *blockParser) macro() statement {
	m := &macro{place: p.place(), target: p.target()}
	p.expect("(")
	m.signature = p.signature(true, ")")
	m.body = p.outsideLoops(m.target.name)
	return m
}

func (p *blockParser) call() statement {
	c := &callBlock{place: p.place()}
	c.signature = p.signature(p.accept("("), ")")
	var ok bool
	if c.call, ok = p.expression().(*call); !ok {
		p.errorf("syntax: a call block without a call")
	}
	c.body = p.outsideLoops("")
	return c
}

func (p *blockParser) with() statement {
	s := &scoped{place: p.place()}
	for len(p.tokens()) > 0 {
		s.targets = append(s.targets, p.target())
		p.expect("=")
		s.values = append(s.values, p.expression())
		if !p.accept(",") {
			break
		}
	}
	s.body = p.body("")
	return s
}

func (p *blockParser) tokens() []*tokens.Token { return p.reader.tokens }

// generation marks the model's words for training, which says nothing here.
func (p *blockParser) generation() statement { return &scoped{place: p.place(), body: p.body("")} }

func (p *blockParser) raw() statement { return &scoped{place: p.place(), body: p.body("")} }

// unsupported names what gonja has not found a parser for; its other errors are
// about syntax.
func unsupported(message string) string {
	_, rest, ok := strings.Cut(message, "ControlStructure '")
	word, _, _ := strings.Cut(rest, "'")
	if !ok {
		return "syntax: " + message
	}
	return fmt.Sprintf("block %q is not supported, or has no beginning", word)
}
