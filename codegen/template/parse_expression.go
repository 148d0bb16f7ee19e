package template

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nikolalohinski/gonja/v2/tokens"
)

// limitDepth bounds how deep expressions and blocks may nest.
const limitDepth = 100

// limitChain bounds how many operations of one kind follow each other.
const limitChain = 100

// reader reads expressions from the tokens of one block, by Jinja's grammar.
// gonja has a reader of expressions too, but it keeps no chain of comparisons
// apart from its parentheses, ends what is looked for with "in" before an
// operator, and passes over words that it does not expect.
type reader struct {
	source *source
	tokens []*tokens.Token
	end    int // place behind the last token
	depth  int
	err    error
}

// fail ends the reading; what is returned behind it does not matter.
func (r *reader) fail(pos int, format string, args ...any) {
	if r.err == nil {
		r.err = r.source.errorf(pos, format, args...)
	}
	r.tokens = nil
}

// finish gives the error, one about tokens that are left too.
func (r *reader) finish() error {
	if len(r.tokens) > 0 {
		r.unexpected()
	}
	return r.err
}

func (r *reader) unexpected() {
	if len(r.tokens) == 0 {
		r.fail(r.end, "syntax: the block ends too early")
		return
	}
	r.fail(r.pos(), "syntax: %q is not expected", r.tokens[0].Val)
}

// pos is the place of the next token.
func (r *reader) pos() int {
	if len(r.tokens) == 0 {
		return r.end
	}
	return r.tokens[0].Pos
}

// is reports whether the next token, not a text, is one of these.
func (r *reader) is(texts ...string) bool {
	return len(r.tokens) > 0 && r.tokens[0].Type != tokens.String && slices.Contains(texts, r.tokens[0].Val)
}

// accept takes the next token if it is one of these.
func (r *reader) accept(texts ...string) bool {
	ok := r.is(texts...)
	if ok {
		r.tokens = r.tokens[1:]
	}
	return ok
}

func (r *reader) expect(text string) {
	if !r.accept(text) {
		r.unexpected()
	}
}

// take takes the next token.
func (r *reader) take() *tokens.Token {
	if len(r.tokens) == 0 {
		r.unexpected()
		return &tokens.Token{Type: tokens.EOF, Pos: r.end}
	}
	t := r.tokens[0]
	r.tokens = r.tokens[1:]
	return t
}

// isName reports whether a token is a name, among which are words that only have
// a meaning at some places.
func isName(t *tokens.Token) bool {
	switch t.Type {
	case tokens.Name, tokens.In, tokens.Is, tokens.And, tokens.Or, tokens.Not:
		return t.Val != ""
	}
	return false
}

func (r *reader) name() string {
	if len(r.tokens) == 0 || !isName(r.tokens[0]) {
		r.unexpected()
		return ""
	}
	return r.take().Val
}

// deeper bounds the recursion.
func (r *reader) deeper() func() {
	if r.depth++; r.depth > limitDepth {
		r.fail(r.pos(), "expressions nested more than %d deep", limitDepth)
	}
	return func() { r.depth-- }
}

// longer bounds chains, which nest to the left.
func (r *reader) longer(n *int) {
	if *n++; *n > limitChain {
		r.fail(r.pos(), "a chain of more than %d operations", limitChain)
	}
}

// expression is parse_expression.
func (r *reader) expression() expression {
	defer r.deeper()()
	e := r.or()
	for n := 0; r.is("if"); r.longer(&n) {
		pos := r.pos()
		r.accept("if")
		c := &conditional{at: at(pos), then: e, condition: r.or()}
		if r.accept("else") {
			c.otherwise = r.expression()
		}
		e = c
	}
	return e
}

// tuple is parse_tuple: what one parses, or a tuple of such, ended by words.
func (r *reader) tuple(one func() expression, ends ...string) expression {
	pos := r.pos()
	var items []expression
	for {
		if len(r.tokens) == 0 || r.is(ends...) {
			break
		}
		items = append(items, one())
		if !r.accept(",") {
			if len(items) == 1 {
				return items[0]
			}
			break
		}
	}
	if len(items) == 0 {
		r.unexpected()
	}
	return &sequence{at(pos), items, true}
}

func (r *reader) or() expression {
	defer r.deeper()()
	return r.left(r.and, "or")
}

func (r *reader) and() expression { return r.left(r.not, "and") }

// left reads operands between operators, grouped from the left.
func (r *reader) left(operand func() expression, ops ...string) expression {
	e := operand()
	for n := 0; r.is(ops...); r.longer(&n) {
		pos, op := r.pos(), r.take().Val
		e = &binary{at(pos), op, e, operand()}
	}
	return e
}

func (r *reader) not() expression {
	if pos := r.pos(); r.accept("not") {
		defer r.deeper()()
		return &unary{at(pos), "not", r.not()}
	}
	return r.compare()
}

func (r *reader) compare() expression {
	c := &comparison{at: at(r.pos()), first: r.sum()}
	for n := 0; ; r.longer(&n) {
		switch {
		case r.is("==", "!=", "<", "<=", ">", ">=", "in"):
			c.ops = append(c.ops, r.take().Val)
		case r.is("not") && len(r.tokens) > 1 && r.tokens[1].Val == "in" && isName(r.tokens[1]):
			r.tokens = r.tokens[2:]
			c.ops = append(c.ops, "not in")
		case len(c.ops) == 0:
			return c.first
		default:
			return c
		}
		c.rest = append(c.rest, r.sum())
	}
}

func (r *reader) sum() expression { return r.left(r.concat, "+", "-") }

func (r *reader) concat() expression {
	c := &concat{at(r.pos()), []expression{r.product()}}
	for r.accept("~") {
		c.parts = append(c.parts, r.product())
	}
	if len(c.parts) == 1 {
		return c.parts[0]
	}
	return c
}

func (r *reader) product() expression { return r.left(r.power, "*", "/", "//", "%") }

func (r *reader) power() expression {
	return r.left(func() expression { return r.filters(r.unary()) }, "**")
}

// unary is parse_unary without filters.
func (r *reader) unary() expression {
	if r.is("-", "+") {
		defer r.deeper()()
		pos, op := r.pos(), r.take().Val
		return r.postfix(&unary{at(pos), op, r.unary()})
	}
	return r.postfix(r.primary())
}

func (r *reader) primary() expression {
	pos := r.pos()
	t := r.take()
	switch {
	case isName(t):
		return r.named(t)
	case t.Type == tokens.String:
		text := t.Val
		for len(r.tokens) > 0 && r.tokens[0].Type == tokens.String {
			text += r.take().Val
		}
		return &literal{at(pos), text}
	case t.Type == tokens.Integer || t.Type == tokens.Float:
		return r.number(t)
	}
	switch t.Val {
	case "(":
		return r.parenthesis(pos)
	case "[":
		return &sequence{at: at(pos), items: r.list("]")}
	case "{":
		return r.dict(pos)
	}
	r.fail(t.Pos, "syntax: %q is not expected", t.Val)
	return &literal{at: at(pos)}
}

func (r *reader) named(t *tokens.Token) expression {
	switch t.Val {
	case "true", "True":
		return &literal{at(t.Pos), true}
	case "false", "False":
		return &literal{at(t.Pos), false}
	case "none", "None":
		return &literal{at(t.Pos), nil}
	}
	return &name{at: at(t.Pos), name: t.Val}
}

func (r *reader) number(t *tokens.Token) expression {
	digits := strings.ReplaceAll(t.Val, "_", "")
	if t.Type == tokens.Float {
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			r.fail(t.Pos, "number %s", t.Val)
		}
		return &literal{at(t.Pos), f}
	}
	base := 10
	if len(digits) > 1 && strings.Contains("xXoObB", digits[1:2]) {
		base = 0
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if err != nil {
		r.fail(t.Pos, "number %s is beyond 64 bits", t.Val)
	}
	return &literal{at(t.Pos), n}
}

func (r *reader) parenthesis(pos int) expression {
	if r.accept(")") {
		return &sequence{at: at(pos), tuple: true}
	}
	e := r.tuple(r.expression, ")")
	r.expect(")")
	return e
}

// list reads expressions between commas, up to an end.
func (r *reader) list(end string) []expression {
	var items []expression
	for r.err == nil && !r.accept(end) {
		if len(items) > 0 {
			r.expect(",")
			if r.accept(end) {
				break
			}
		}
		items = append(items, r.expression())
	}
	return items
}

func (r *reader) dict(pos int) expression {
	d := &dict{at: at(pos)}
	for r.err == nil && !r.accept("}") {
		if len(d.keys) > 0 {
			r.expect(",")
			if r.accept("}") {
				break
			}
		}
		d.keys = append(d.keys, r.expression())
		r.expect(":")
		d.values = append(d.values, r.expression())
	}
	return d
}

// postfix is parse_postfix.
func (r *reader) postfix(e expression) expression {
	for n := 0; ; r.longer(&n) {
		pos := r.pos()
		switch {
		case r.accept("."):
			e = r.member(pos, e)
		case r.accept("["):
			e = r.subscript(pos, e)
		case r.accept("("):
			e = &call{at(pos), e, r.arguments()}
		default:
			return e
		}
	}
}

func (r *reader) member(pos int, of expression) expression {
	if len(r.tokens) > 0 && r.tokens[0].Type == tokens.Integer {
		return &index{at(pos), of, r.number(r.take())}
	}
	return &attribute{at(pos), of, r.name()}
}

func (r *reader) subscript(pos int, of expression) expression {
	s := &slice{at: at(pos), of: of}
	bound := func() expression {
		if r.is(":", "]") {
			return nil
		}
		return r.expression()
	}
	s.start = bound()
	if s.start != nil && r.accept("]") {
		return &index{at(pos), of, s.start}
	}
	if r.is(",") {
		r.fail(r.pos(), "several keys between brackets are not supported")
	}
	r.expect(":")
	s.end = bound()
	if r.accept(":") {
		s.step = bound()
	}
	r.expect("]")
	return s
}

// arguments reads arguments up to their closing parenthesis.
func (r *reader) arguments() arguments {
	var a arguments
	for first := true; r.err == nil && !r.accept(")"); first = false {
		if !first {
			r.expect(",")
			if r.accept(")") {
				break
			}
		}
		if r.is("*", "**") {
			r.fail(r.pos(), "arguments from a list or mapping (%s) are not supported", r.tokens[0].Val)
			break
		}
		if len(r.tokens) > 1 && isName(r.tokens[0]) && r.tokens[1].Val == "=" && r.tokens[1].Type == tokens.Assign {
			n := named{name: r.name()}
			r.expect("=")
			n.value = r.expression()
			a.named = append(a.named, n)
			continue
		}
		if len(a.named) > 0 {
			r.fail(r.pos(), "syntax: an argument without a name behind one with a name")
		}
		a.positional = append(a.positional, r.expression())
	}
	return a
}

// filters is parse_filter_expr: filters, tests and calls behind an expression.
func (r *reader) filters(e expression) expression {
	for n := 0; ; r.longer(&n) {
		pos := r.pos()
		switch {
		case r.accept("|"):
			e = r.filter(pos, e)
		case r.accept("is"):
			e = r.test(pos, e)
		case r.accept("("):
			e = &call{at(pos), e, r.arguments()}
		default:
			return e
		}
	}
}

func (r *reader) filter(pos int, of expression) expression {
	f := &filter{at: at(pos), of: of, name: r.name()}
	if r.accept("(") {
		f.arguments = r.arguments()
	}
	return f
}

func (r *reader) test(pos int, of expression) expression {
	negated := r.accept("not")
	t := &test{at: at(pos), of: of, name: r.name()}
	switch {
	case r.accept("("):
		t.arguments = r.arguments()
	case r.is("is"):
		r.fail(r.pos(), "syntax: a test of a test")
	case r.beginsArgument():
		t.arguments.positional = []expression{r.postfix(r.primary())}
	}
	if negated {
		return &unary{at(pos), "not", t}
	}
	return t
}

// beginsArgument reports whether a test's argument without parentheses follows.
func (r *reader) beginsArgument() bool {
	if len(r.tokens) == 0 || r.is("else", "or", "and") {
		return false
	}
	switch t := r.tokens[0]; t.Type {
	case tokens.String, tokens.Integer, tokens.Float, tokens.LeftParenthesis, tokens.LeftBracket, tokens.LeftBrace:
		return true
	default:
		return isName(t)
	}
}
