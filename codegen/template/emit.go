package template

import "github.com/dave/jennifer/jen"

// emitter writes statements and expressions as Go.
type emitter struct {
	*source
	functions int // that what is being emitted lies in
	err       error
}

// limitFunctions bounds how deep functions lie in functions: the time to format
// them grows with the square of it, and more.
const limitFunctions = 12

// within counts a function that is being emitted, until the result is called.
func (e *emitter) within(pos int) func() {
	if e.functions++; e.functions > limitFunctions {
		e.fail(pos, "conditional expressions, macros and blocks of set nested more than %d deep", limitFunctions)
	}
	return func() { e.functions-- }
}

// fail keeps the first error; what is emitted behind it does not matter.
func (e *emitter) fail(pos int, format string, args ...any) *jen.Statement {
	if e.err == nil {
		e.err = e.errorf(pos, format, args...)
	}
	return jen.Null()
}

// run is the variable that emitted functions have the rendering in.
func run() *jen.Statement { return jen.Id("t") }

// method calls a method of the rendering.
func method(name string, args ...jen.Code) *jen.Statement { return run().Dot(name).Call(args...) }

// value calls a function of the runtime that makes a value.
func value(name string, args ...jen.Code) *jen.Statement {
	return jen.Qual(runtimePath, name).Call(args...)
}

func valueType() *jen.Statement { return jen.Qual(runtimePath, "Value") }

// block emits the statements of a block, the variables before them that begin
// with it.
func (e *emitter) block(b *block) []jen.Code {
	var code []jen.Code
	for _, v := range b.order {
		switch {
		case v.kind != assigned || v.reads == 0 || v.declared != nil:
		case v.outside != nil && v.outside.kind == context:
			code = append(code, jen.Id(v.id).Op(":=").Add(method("Variable", jen.Lit(v.name))))
		case v.outside != nil:
			code = append(code, jen.Id(v.id).Op(":=").Id(v.outside.id))
		default: // its name is a function's outside
			code = append(code, jen.Var().Id(v.id).Add(valueType()))
		}
	}
	return append(code, e.statements(b.statements)...)
}

func (e *emitter) statements(list []statement) []jen.Code {
	var code []jen.Code
	for _, s := range list {
		code = append(code, e.statement(s)...)
	}
	return code
}

func (e *emitter) statement(s statement) []jen.Code {
	switch s := s.(type) {
	case *text:
		return []jen.Code{method("Text", jen.Lit(s.text))}
	case *output:
		return e.output(s.value)
	case *assignment:
		return e.assignment(s)
	case *capture:
		return e.capture(s)
	case *condition:
		return []jen.Code{e.condition(s)}
	case *loop:
		return e.loop(s)
	case *jump:
		return []jen.Code{jen.Id(s.word)}
	case *macro:
		return e.assign(s.target, s, method("Macro", e.macro(s.pos(), s.target.name, s.signature)...))
	case *callBlock:
		block := jen.Qual(runtimePath, "Pair").Values(jen.Id("Key").Op(":").Lit("caller"), jen.Id("Value").Op(":").Add(method("Macro", e.macro(s.pos(), "caller", s.signature)...)))
		return []jen.Code{method("Print", e.call(s.call, block))}
	case *scoped:
		return []jen.Code{e.scoped(s)}
	}
	panic("BUG: a statement of another type")
}

// output emits the printing of a value; of two, the one that is chosen.
func (e *emitter) output(v expression) []jen.Code {
	switch v := v.(type) {
	case *literal:
		if s, ok := v.value.(string); ok {
			return []jen.Code{method("Text", jen.Lit(s))}
		}
	case *conditional:
		s := jen.If(e.test(v.condition)).Block(e.output(v.then)...)
		if v.otherwise != nil {
			s.Else().Block(e.output(v.otherwise)...)
		}
		return []jen.Code{s}
	case *call:
		if n, ok := v.of.(*name); ok && n.variable == nil && n.name == "raise_exception" {
			return []jen.Code{e.value(v)}
		}
	case *filter:
		if v.name == "safe" && len(v.arguments.all()) == 0 { // printed as it is, in any case
			return e.output(v.of)
		}
	}
	return []jen.Code{method("Print", e.value(v))}
}

// assign emits an assignment; the statement that a variable begins at declares
// it. What nobody reads is computed all the same, for it may fail.
func (e *emitter) assign(target *name, s statement, v jen.Code) []jen.Code {
	op := "="
	switch {
	case target.variable.reads == 0:
		return []jen.Code{method("Do", v)}
	case target.variable.declared == s:
		op = ":="
	}
	return []jen.Code{jen.Id(target.variable.id).Op(op).Add(v)}
}

func (e *emitter) assignment(s *assignment) []jen.Code {
	v := e.value(s.value)
	if s.attribute != "" {
		return []jen.Code{method("SetAttribute", e.value(s.targets[0]), jen.Lit(s.attribute), v)}
	}
	if len(s.targets) == 1 {
		return e.assign(s.targets[0], s, v)
	}
	var list []jen.Code
	for _, t := range s.targets {
		if t.variable.reads == 0 {
			list = append(list, jen.Id("_"))
		} else {
			list = append(list, jen.Id(t.variable.id))
		}
	}
	return []jen.Code{jen.BlockFunc(func(g *jen.Group) {
		g.Id("pieces").Op(":=").Add(method("Unpack", v, jen.Lit(len(list))))
		g.List(list...).Op("=").ListFunc(func(g *jen.Group) {
			for i := range list {
				g.Id("pieces").Index(jen.Lit(i))
			}
		})
	})}
}

func (e *emitter) capture(s *capture) []jen.Code {
	defer e.within(s.pos())()
	written := method("Capture", jen.Func().Params().Block(e.block(s.body)...))
	v := e.filtered(s.value, written)
	switch {
	case s.target == nil:
		return []jen.Code{method("Print", v)}
	case s.attribute != "":
		return []jen.Code{method("SetAttribute", e.value(s.target), jen.Lit(s.attribute), v)}
	}
	return e.assign(s.target, s, v)
}

// filtered emits filters around what a block has written.
func (e *emitter) filtered(x expression, written *jen.Statement) *jen.Statement {
	switch x := x.(type) {
	case *captured:
		return written
	case *filter:
		return e.filter(x, e.filtered(x.of, written))
	}
	return e.fail(x.pos(), "a block is only followed by filters")
}

func (e *emitter) condition(s *condition) jen.Code {
	code := jen.Null()
	for i, b := range s.branches {
		if i > 0 {
			code.Else()
		}
		code.If(e.test(b.condition)).Block(e.statements(b.body)...)
	}
	if len(s.otherwise) > 0 {
		code.Else().Block(e.statements(s.otherwise)...)
	}
	return code
}

func (e *emitter) loop(s *loop) []jen.Code {
	over := e.value(s.over)
	if s.only != nil {
		over = method("Only", over, jen.Func().Params(jen.Id("each").Add(valueType())).Bool().Block(
			append(e.items(s.tested, jen.Id("each")), jen.Return(e.test(s.only)))...))
	}
	var head []jen.Code // of the body
	turns := s.body.variables["loop"]
	clause := jen.Range().Add(method("Each", over))
	switch single := s.targets[0].variable; {
	case turns.reads > 0:
		clause = jen.Id(turns.id).Op(":=").Range().Add(method("Loop", over))
		head = e.items(variables(s.targets), jen.Id(turns.id).Dot("Item"))
	case len(s.targets) > 1:
		clause = jen.Id("each").Op(":=").Range().Add(method("Each", over))
		head = e.items(variables(s.targets), jen.Id("each"))
	case single.reads > 0:
		clause = jen.Id(single.id).Op(":=").Range().Add(method("Each", over))
	}
	if s.otherwise == nil {
		return []jen.Code{jen.For(clause).Block(append(head, e.block(s.body)...)...)}
	}
	// Jinja counts turns that come to the end of the body only.
	body := append(append(head, e.block(s.body)...), jen.Id("empty").Op("=").False())
	return []jen.Code{jen.Block(
		jen.Id("empty").Op(":=").True(),
		jen.For(clause).Block(body...),
		jen.If(jen.Id("empty")).Block(e.block(s.otherwise)...),
	)}
}

func variables(names []*name) []*variable {
	var list []*variable
	for _, n := range names {
		list = append(list, n.variable)
	}
	return list
}

// items declares what a loop gives names to.
func (e *emitter) items(targets []*variable, item *jen.Statement) []jen.Code {
	if len(targets) == 1 {
		if targets[0].reads == 0 {
			return nil
		}
		return []jen.Code{jen.Id(targets[0].id).Op(":=").Add(item)}
	}
	unpacked := method("Unpack", item, jen.Lit(len(targets)))
	code := []jen.Code{jen.Id("pieces").Op(":=").Add(unpacked)}
	for i, v := range targets {
		if v.reads > 0 {
			code = append(code, jen.Id(v.id).Op(":=").Id("pieces").Index(jen.Lit(i)))
		}
	}
	if len(code) == 1 {
		return []jen.Code{unpacked}
	}
	return code
}

// macro gives the arguments with which a macro is made.
func (e *emitter) macro(pos int, name string, s *signature) []jen.Code {
	defer e.within(pos)()
	var body, params []jen.Code
	for i, p := range s.params {
		params = append(params, jen.Lit(p.name))
		if p.variable.reads == 0 {
			continue
		}
		body = append(body, jen.Id(p.variable.id).Op(":=").Id("given").Dot("At").Call(jen.Lit(i)))
		if d := s.defaults[i]; d != nil {
			body = append(body, jen.If(jen.Op("!").Id("given").Dot("Given").Call(jen.Lit(i))).Block(jen.Id(p.variable.id).Op("=").Add(e.value(d))))
		}
	}
	if c := s.body.variables["caller"]; c != nil && c.kind == caller && c.reads > 0 {
		body = append(body, jen.Id(c.id).Op(":=").Id("given").Dot("At").Call(jen.Lit(len(params))))
		params = append(params, jen.Lit("caller"))
	}
	body = append(body, e.block(s.body)...)
	return append([]jen.Code{jen.Lit(name), jen.Func().Params(jen.Id("given").Qual(runtimePath, "Arguments")).Block(body...)}, params...)
}

func (e *emitter) scoped(s *scoped) jen.Code {
	var code []jen.Code
	for i, t := range s.targets {
		if v := e.value(s.values[i]); t.variable.reads > 0 {
			code = append(code, jen.Id(t.variable.id).Op(":=").Add(v))
		} else {
			code = append(code, method("Do", v))
		}
	}
	return jen.Block(append(code, e.block(s.body)...)...)
}
