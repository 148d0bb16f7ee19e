package text

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/tensor"
)

// maxElements bounds what a parameter or state may declare, so that sizes and
// costs cannot overflow.
const maxElements = min(1<<40, math.MaxInt)

// Parse reads what Format printed. Every name must be declared above its use,
// once. Parameters come back without a source. The result has not been
// verified: shape rules and the rest are for ir.Verify. Errors are one line
// and name the line at fault.
func Parse(text string) (*ir.Module, error) {
	p := &parser{module: &ir.Module{}, params: map[string]*ir.Param{}, states: map[string]*ir.State{}, values: map[string]*ir.Value{}}
	number := 0
	for statement := range strings.SplitSeq(text, "\n") {
		number++
		if err := p.line(statement); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if p.module.Output == nil {
		return nil, fmt.Errorf("line %d: the text ends without a return", number)
	}
	return p.module, nil
}

type parser struct {
	module *ir.Module
	params map[string]*ir.Param
	states map[string]*ir.State
	values map[string]*ir.Value
	region *ir.Region // nil outside
	begun  bool       // the module statement was there
}

func (p *parser) line(text string) error {
	tokens, err := split(text)
	if err != nil || len(tokens) == 0 {
		return err
	}
	l := &line{tokens: tokens}
	if err := p.place(l.peek()); err != nil {
		return err
	}
	p.statement(l)
	return l.end()
}

// place says whether a statement may stand where it does.
func (p *parser) place(first token) error {
	switch inside := first.text == "%" || first.text == "}"; {
	case !p.begun && first.text != "module":
		return errors.New(`the first statement is not "module"`)
	case p.module.Output != nil:
		return errors.New("a statement stands after the return")
	case inside && p.region == nil:
		return fmt.Errorf("%s stands outside a region", describe(first))
	case !inside && p.region != nil:
		return fmt.Errorf("%s stands inside region %s", describe(first), abbreviate(quote(p.region.Name)))
	}
	return nil
}

func (p *parser) statement(l *line) {
	switch t := l.peek(); {
	case t.text == "%" && t.kind == punctToken:
		p.value(l)
	case l.take("}"):
		p.region = nil
	case l.take("param"):
		p.param(l)
	case l.take("state"):
		p.state(l)
	case l.take("region"):
		p.openRegion(l)
	case l.take("module"):
		p.header(l)
	case l.take("input"):
		p.input(l)
	case l.take("tap"):
		p.module.Taps = append(p.module.Taps, p.use(l))
	case l.take("return"):
		p.output(l)
	default:
		l.fail("unknown statement %s", describe(t))
	}
}

func (p *parser) header(l *line) {
	if p.begun {
		l.fail("a second module")
	}
	p.module.Name, p.begun = l.name(), true
}

func (p *parser) input(l *line) {
	if p.module.Input != nil {
		l.fail("a second input")
	}
	p.module.Input = p.define(l)
}

func (p *parser) output(l *line) {
	if p.module.Input == nil {
		l.fail("a return without an input")
	}
	p.module.Output = p.use(l)
}

func (p *parser) openRegion(l *line) {
	p.region = &ir.Region{Name: l.name()}
	p.module.Regions = append(p.module.Regions, p.region)
	l.want("{")
}

// param reads @name [shape] dtype, then maybe a transform and storage=format.
func (p *parser) param(l *line) {
	l.want("@")
	x := &ir.Param{Name: l.name(), Shape: shape(l)}
	declare(l, p.params, "@", x.Name, x)
	var err error
	if x.DType, err = tensor.ParseDType(l.peek().text); err != nil {
		l.fail("have %s, want an element type", describe(l.peek()))
	}
	l.next()
	if t := l.peek(); t.kind != endToken && !(t.text == "storage" && len(l.tokens) > 1 && l.tokens[1].text == "=") {
		x.Transform = ir.Transform(l.name())
	}
	if l.take("storage") {
		l.want("=")
		x.Storage = l.name()
	}
	p.module.Params = append(p.module.Params, x)
}

func (p *parser) state(l *line) {
	l.want("$")
	s := &ir.State{Name: l.name(), Kind: ir.StateKind(l.name()), Shape: shape(l)}
	if l.take("back") {
		l.want("=")
		s.Window = l.size()
	}
	declare(l, p.states, "$", s.Name, s)
	p.module.States = append(p.module.States, s)
}

func declare[T any](l *line, known map[string]*T, sigil, name string, x *T) {
	if known[name] != nil {
		l.fail("%s%s is declared twice", sigil, abbreviate(quote(name)))
	}
	known[name] = x
}

func shape(l *line) tensor.Shape {
	s := tensor.Shape{}
	l.want("[")
	for l.err == nil && !l.take("]") {
		s = append(s, l.size())
	}
	if _, err := s.CheckedElements(maxElements); err != nil {
		l.fail("%v", err)
	}
	return s
}

// define reads %name: type.
func (p *parser) define(l *line) *ir.Value {
	l.want("%")
	v := &ir.Value{Name: l.name()}
	declare(l, p.values, "%", v.Name, v)
	l.want(":")
	v.Type = valueType(l)
	return v
}

func valueType(l *line) ir.Type {
	if l.take("id") {
		l.want("[")
		l.want("T")
		l.want("]")
		return ir.Type{Elem: ir.ID}
	}
	l.want("f32")
	l.want("[")
	l.want("T")
	l.want(",")
	t := ir.Vec(l.size())
	l.want("]")
	return t
}

// value reads %name: type = op(args) [params] <states> {attributes}.
func (p *parser) value(l *line) {
	v := p.define(l)
	delete(p.values, v.Name) // it is no argument of its own
	l.want("=")
	opName := l.name()
	l.want("(")
	v.Args = sequence(l, ")", p.use)
	if l.take("[") {
		v.Params = sequence(l, "]", p.useParam)
	}
	if l.take("<") {
		v.States = sequence(l, ">", p.useState)
	}
	v.Op = attributes(l, opName)
	p.values[v.Name] = v
	p.region.Body = append(p.region.Body, v)
}

// sequence reads items between commas up to the closing token.
func sequence[T any](l *line, closing string, item func(*line) T) []T {
	var items []T
	for first := true; l.err == nil && !l.take(closing); first = false {
		if !first {
			l.want(",")
		}
		items = append(items, item(l))
	}
	return items
}

func (p *parser) use(l *line) *ir.Value {
	return lookup(l, p.values, "%")
}

func (p *parser) useParam(l *line) *ir.Param {
	if l.take("none") {
		return nil
	}
	return lookup(l, p.params, "@")
}

func (p *parser) useState(l *line) *ir.State {
	return lookup(l, p.states, "$")
}

// lookup reads a name that must have been declared.
func lookup[T any](l *line, known map[string]*T, sigil string) *T {
	l.want(sigil)
	name := l.name()
	x := known[name]
	if x == nil {
		l.fail("%s%s is not declared above", sigil, abbreviate(quote(name)))
	}
	return x
}

// attributes reads {key=value flag …} into the op of that name.
func attributes(l *line, opName string) ir.Op {
	prototype, ok := op.Prototype(opName)
	if !ok {
		l.fail("unknown op %s; known are %s", abbreviate(strconv.Quote(opName)), strings.Join(op.Names(), ", "))
		return nil
	}
	o := reflect.New(reflect.TypeOf(prototype)).Elem()
	seen := map[string]bool{}
	if l.take("{") {
		for l.err == nil && !l.take("}") {
			key := l.name()
			if seen[key] {
				l.fail("attribute %s is given twice", abbreviate(quote(key)))
			}
			seen[key] = true
			readAttribute(l, o, key)
		}
	}
	return o.Interface().(ir.Op)
}

func readAttribute(l *line, o reflect.Value, key string) {
	field, ok := attribute(o, key)
	switch {
	case !ok:
		l.fail("unknown attribute %s of %s", abbreviate(quote(key)), o.Interface().(ir.Op).OpName())
	case !l.take("="):
		if field.Kind() != reflect.Bool {
			l.fail("attribute %s has no value", key)
			return
		}
		field.SetBool(true)
	default:
		if err := setAttribute(field, l.next()); err != nil {
			l.fail("attribute %s: %v", key, err)
		}
	}
}
