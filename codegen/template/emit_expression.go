package template

import (
	"slices"

	"github.com/dave/jennifer/jen"
)

// isBool reports whether an expression gives a truth value, which Go then keeps
// as a bool.
func isBool(x expression) bool {
	switch x := x.(type) {
	case *literal:
		_, ok := x.value.(bool)
		return ok
	case *comparison, *test:
		return true
	case *unary:
		return x.op == "not"
	case *binary:
		return (x.op == "and" || x.op == "or") && isBool(x.left) && isBool(x.right)
	case *attribute:
		return isTurn(x.of) && (x.name == "first" || x.name == "last")
	case *call:
		a, ok := x.of.(*attribute)
		return ok && isTurn(a.of) && a.name == "changed"
	}
	return false
}

// isTurn reports whether an expression is the variable "loop".
func isTurn(x expression) bool {
	n, ok := x.(*name)
	return ok && n.variable != nil && n.variable.kind == turn
}

// test emits an expression as a Go bool.
func (e *emitter) test(x expression) *jen.Statement {
	switch x := x.(type) {
	case *literal:
		if b, ok := x.value.(bool); ok {
			return jen.Lit(b)
		}
	case *unary:
		if x.op == "not" {
			return jen.Op("!").Add(e.operand(x.of))
		}
	case *binary:
		if op := map[string]string{"and": "&&", "or": "||"}[x.op]; op != "" {
			return e.operand(x.left).Op(op).Add(e.operand(x.right))
		}
	case *comparison:
		return e.comparison(x)
	case *test:
		return e.testOf(x)
	case *attribute:
		if isBool(x) {
			return e.turn(x)
		}
	case *call:
		if isBool(x) {
			return e.turnCall(x.of.(*attribute), x.arguments)
		}
	}
	return e.value(x).Dot("True").Call()
}

// operand is test, in parentheses where Go wants them.
func (e *emitter) operand(x expression) *jen.Statement {
	switch x := x.(type) {
	case *binary:
		if x.op == "and" || x.op == "or" {
			return jen.Parens(e.test(x))
		}
	case *comparison:
		if len(x.ops) > 1 {
			return jen.Parens(e.test(x))
		}
	}
	return e.test(x)
}

func (e *emitter) comparison(x *comparison) *jen.Statement {
	left := x.first
	var all *jen.Statement
	for i, op := range x.ops {
		right := x.rest[i]
		if i+1 < len(x.ops) && !repeatable(right, 0) {
			return e.fail(right.pos(), "a chain of comparisons whose middle is more than a variable, an entry or a constant is not supported")
		}
		c := compare(op, e.value(left), e.value(right))
		if all == nil {
			all = c
		} else {
			all.Op("&&").Add(c)
		}
		left = right
	}
	return all
}

// repeatable reports whether an expression is so simple that it may stand twice.
func repeatable(x expression, depth int) bool {
	switch x := x.(type) {
	case *name, *literal:
		return true
	case *attribute:
		return depth < 8 && repeatable(x.of, depth+1)
	case *index:
		return depth < 8 && repeatable(x.of, depth+1) && repeatable(x.key, 8)
	}
	return false
}

func compare(op string, a, b *jen.Statement) *jen.Statement {
	switch op {
	case "==":
		return method("Equal", a, b)
	case "!=":
		return jen.Op("!").Add(method("Equal", a, b))
	case "<":
		return method("Less", a, b)
	case "<=":
		return method("LessEqual", a, b)
	case ">":
		return method("Less", b, a)
	case ">=":
		return method("LessEqual", b, a)
	case "in":
		return method("In", a, b)
	case "not in":
		return jen.Op("!").Add(method("In", a, b))
	}
	panic("BUG: comparison " + op)
}

// value emits an expression as a value of the runtime.
func (e *emitter) value(x expression) *jen.Statement {
	if _, ok := x.(*literal); !ok && isBool(x) {
		return value("Bool", e.test(x))
	}
	switch x := x.(type) {
	case *name:
		return e.name(x)
	case *literal:
		return constant(x.value)
	case *sequence:
		if x.tuple {
			return value("Tuple", e.values(x.items)...)
		}
		return value("List", e.values(x.items)...)
	case *dict:
		return e.dict(x)
	case *attribute:
		if isTurn(x.of) {
			return e.turn(x)
		}
		return method("Attribute", e.value(x.of), jen.Lit(x.name))
	case *index:
		return e.index(x)
	case *slice:
		return method("Slice", e.value(x.of), e.bound(x.start), e.bound(x.end), e.bound(x.step))
	case *call:
		return e.call(x)
	case *filter:
		return e.filter(x, e.value(x.of))
	case *unary:
		return e.sign(x)
	case *binary:
		return e.binary(x)
	case *concat:
		return method("Concat", e.values(x.parts)...)
	case *conditional:
		return e.conditional(x)
	}
	return e.fail(x.pos(), "an expression that is not expected here")
}

func (e *emitter) values(list []expression) []jen.Code {
	var code []jen.Code
	for _, x := range list {
		code = append(code, e.value(x))
	}
	return code
}

// constant emits a value that the template has written down.
func constant(v any) *jen.Statement {
	switch v := v.(type) {
	case nil:
		return value("None")
	case bool:
		return value("Bool", jen.Lit(v))
	case int64:
		return value("Int", jen.Lit(int(v)))
	case float64:
		return value("Float", jen.Lit(v))
	case string:
		return value("String", jen.Lit(v))
	}
	panic("BUG: a constant of another type")
}

func (e *emitter) name(x *name) *jen.Statement {
	switch {
	case x.variable == nil:
		return e.fail(x.pos(), "function %q is not supported as a value", x.name)
	case x.variable.kind == turn:
		return e.fail(x.pos(), "the variable loop is not supported as a value")
	}
	return jen.Id(x.variable.id)
}

func (e *emitter) dict(x *dict) *jen.Statement {
	var pairs []jen.Code
	for i, k := range x.keys {
		key, ok := k.(*literal)
		name, isText := "", false
		if ok {
			name, isText = key.value.(string)
		}
		if !isText {
			return e.fail(k.pos(), "keys of mappings that are not constant texts are not supported")
		}
		pairs = append(pairs, e.pair(name, x.values[i]))
	}
	return value("Object", pairs...)
}

func (e *emitter) pair(key string, v expression) jen.Code {
	return jen.Qual(runtimePath, "Pair").Values(jen.Id("Key").Op(":").Lit(key), jen.Id("Value").Op(":").Add(e.value(v)))
}

func (e *emitter) index(x *index) *jen.Statement {
	if isTurn(x.of) {
		if key, ok := x.key.(*literal); ok {
			if name, ok := key.value.(string); ok {
				return e.value(&attribute{x.at, x.of, name})
			}
		}
	}
	return method("Index", e.value(x.of), e.value(x.key))
}

func (e *emitter) bound(x expression) *jen.Statement {
	if x == nil {
		return constant(nil)
	}
	return e.value(x)
}

func (e *emitter) sign(x *unary) *jen.Statement {
	if l, ok := x.of.(*literal); ok && x.op == "-" {
		switch v := l.value.(type) {
		case int64:
			return constant(-v)
		case float64:
			return constant(-v)
		}
	}
	return method(map[string]string{"-": "Negative", "+": "Positive"}[x.op], e.value(x.of))
}

// arithmetic names the methods of operators.
var arithmetic = map[string]string{"+": "Add", "-": "Subtract", "*": "Multiply", "/": "Divide", "//": "FloorDivide", "%": "Modulo", "**": "Power"}

func (e *emitter) binary(x *binary) *jen.Statement {
	switch x.op {
	case "and":
		return e.choice("And", x)
	case "or":
		return e.choice("Or", x)
	case "%":
		if l, ok := x.left.(*literal); ok {
			if _, ok := l.value.(string); ok {
				return e.fail(x.pos(), "formatting with %% is not supported")
			}
		}
	}
	return method(arithmetic[x.op], e.value(x.left), e.value(x.right))
}

// choice emits a chain of one operator that gives one of its operands.
func (e *emitter) choice(goName string, x *binary) *jen.Statement {
	chain := []expression{x.right}
	first := x.left
	for {
		left, ok := first.(*binary)
		if !ok || left.op != x.op {
			break
		}
		chain = append(chain, left.right)
		first = left.left
	}
	slices.Reverse(chain)
	args := []jen.Code{e.value(first)}
	for _, operand := range chain {
		args = append(args, e.later(operand))
	}
	return method(goName, args...)
}

// later is a function that computes an expression, for when it is needed.
func (e *emitter) later(x expression) *jen.Statement {
	defer e.within(x.pos())()
	return jen.Func().Params().Add(valueType()).Block(jen.Return(e.value(x)))
}

func (e *emitter) conditional(x *conditional) *jen.Statement {
	otherwise := jen.Func().Params().Add(valueType()).Block(jen.Return(valueType().Values()))
	if x.otherwise != nil {
		otherwise = e.later(x.otherwise)
	}
	return method("If", e.test(x.condition), e.later(x.then), otherwise)
}

// turns are the attributes of "loop", as methods of the runtime's Loop.
var turns = map[string]string{
	"index": "Index", "index0": "Index0", "revindex": "RevIndex", "revindex0": "RevIndex0", "first": "First", "last": "Last",
	"length": "Length", "previtem": "PrevItem", "nextitem": "NextItem",
}

func (e *emitter) turn(x *attribute) *jen.Statement {
	goName, ok := turns[x.name]
	if !ok {
		return e.fail(x.pos(), "loop.%s is not supported", x.name)
	}
	return jen.Id(x.of.(*name).variable.id).Dot(goName).Call()
}

func (e *emitter) turnCall(x *attribute, a arguments) *jen.Statement {
	goName := map[string]string{"cycle": "Cycle", "changed": "Changed"}[x.name]
	if goName == "" || len(a.named) > 0 {
		return e.fail(x.pos(), "loop.%s is not supported", x.name)
	}
	return jen.Id(x.of.(*name).variable.id).Dot(goName).Call(e.values(a.positional)...)
}

// functions are those that every template knows, as are some that are not
// supported.
var functions = []string{"raise_exception", "strftime_now", "range", "namespace", "dict", "lipsum", "cycler", "joiner"}

// function emits a call of one of them.
func (e *emitter) function(pos int, name string, a arguments) *jen.Statement {
	args, count := a.positional, len(a.positional)
	switch {
	case name == "namespace" && count == 0:
		return method("Namespace", e.pairs(a.named)...)
	case name == "dict" && count == 0:
		return value("Object", e.pairs(a.named)...)
	case len(a.named) > 0:
	case name == "raise_exception" && count == 1:
		return method("Raise", e.value(args[0]))
	case name == "strftime_now" && count == 1:
		return method("Now", e.value(args[0]))
	case name == "range" && count >= 1 && count <= 3:
		return method("Range", e.values(args)...)
	}
	return e.fail(pos, "function %q with %d arguments and %d with names is not supported", name, count, len(a.named))
}

func (e *emitter) pairs(list []named) []jen.Code {
	var pairs []jen.Code
	for _, n := range list {
		pairs = append(pairs, e.pair(n.name, n.value))
	}
	return pairs
}

// call emits a call of a function, a method or a macro, of the last with more
// named arguments.
func (e *emitter) call(x *call, more ...jen.Code) *jen.Statement {
	switch of := x.of.(type) {
	case *name:
		if of.variable == nil {
			if len(more) > 0 {
				return e.fail(x.pos(), "a block for function %q is not supported", of.name)
			}
			return e.function(x.pos(), of.name, x.arguments)
		}
	case *attribute:
		if len(more) > 0 {
			return e.fail(x.pos(), "a block for method %q is not supported", of.name)
		}
		if isTurn(of.of) {
			return e.turnCall(of, x.arguments)
		}
		return e.methodCall(of, x.arguments)
	}
	args := []jen.Code{e.value(x.of), jen.Index().Add(valueType()).Values(e.values(x.arguments.positional)...)}
	if len(x.arguments.positional) == 0 {
		args[1] = jen.Nil()
	}
	args = append(args, e.pairs(x.arguments.named)...)
	return method("Call", append(args, more...)...)
}

// methods are those that values have, with the least and the greatest number of
// their arguments.
var methods = map[string][2]int{
	"get": {1, 2}, "items": {}, "keys": {}, "values": {}, "copy": {},
	"strip": {0, 1}, "lstrip": {0, 1}, "rstrip": {0, 1}, "split": {0, 2}, "rsplit": {0, 2}, "splitlines": {}, "join": {1, 1},
	"startswith": {1, 1}, "endswith": {1, 1}, "removeprefix": {1, 1}, "removesuffix": {1, 1}, "replace": {2, 3},
	"count": {1, 1}, "find": {1, 1}, "rfind": {1, 1}, "upper": {}, "lower": {}, "title": {}, "capitalize": {},
	"isspace": {}, "isdigit": {}, "isalpha": {}, "isalnum": {}, "islower": {}, "isupper": {},
}

func (e *emitter) methodCall(x *attribute, a arguments) *jen.Statement {
	bounds, ok := methods[x.name]
	switch n := len(a.positional); {
	case !ok:
		return e.fail(x.pos(), "method %q is not supported", x.name)
	case len(a.named) > 0:
		return e.fail(x.pos(), "method %q is only supported without names of arguments", x.name)
	case n < bounds[0] || n > bounds[1]:
		return e.fail(x.pos(), "method %q with %d arguments is not supported", x.name, n)
	}
	return method("Method", slices.Concat([]jen.Code{e.value(x.of), jen.Lit(x.name)}, e.values(a.positional))...)
}
