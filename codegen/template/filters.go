package template

import (
	"slices"

	"github.com/dave/jennifer/jen"
)

// operation is a filter: a method of the runtime, and parameters beside the
// value.
type operation struct {
	method string
	params []parameter
}

// parameter has a name, and a value if it may be left out.
type parameter struct {
	name    string
	missing any // a constant, or required
}

// required marks parameters that may not be left out.
type mark struct{}

var required any = mark{}

// filters are those of Jinja, by name; tojson is Hugging Face's.
var filters = map[string]operation{
	"abs":        {"Abs", nil},
	"capitalize": {"Capitalize", nil},
	"count":      {"Length", nil},
	"d":          {"Default", []parameter{{"default_value", ""}, {"boolean", false}}},
	"default":    {"Default", []parameter{{"default_value", ""}, {"boolean", false}}},
	"dictsort":   {"DictSort", []parameter{{"case_sensitive", false}, {"by", "key"}, {"reverse", false}}},
	"first":      {"First", nil},
	"float":      {"Float", []parameter{{"default", 0.0}}},
	"indent":     {"Indent", []parameter{{"width", int64(4)}, {"first", false}, {"blank", false}}},
	"int":        {"Int", []parameter{{"default", int64(0)}, {"base", int64(10)}}},
	"items":      {"Items", nil},
	"join":       {"Join", []parameter{{"d", ""}, {"attribute", nil}}},
	"last":       {"Last", nil},
	"length":     {"Length", nil},
	"list":       {"List", nil},
	"lower":      {"Lower", nil},
	"max":        {"Max", []parameter{{"case_sensitive", false}, {"attribute", nil}}},
	"min":        {"Min", []parameter{{"case_sensitive", false}, {"attribute", nil}}},
	"replace":    {"Replace", []parameter{{"old", required}, {"new", required}, {"count", nil}}},
	"reverse":    {"Reverse", nil},
	"round":      {"Round", []parameter{{"precision", int64(0)}, {"method", "common"}}},
	"sort":       {"Sort", []parameter{{"reverse", false}, {"case_sensitive", false}, {"attribute", nil}}},
	"string":     {"String", nil},
	"sum":        {"Sum", []parameter{{"attribute", nil}, {"start", int64(0)}}},
	"title":      {"Title", nil},
	"tojson":     {"JSON", []parameter{{"ensure_ascii", false}, {"indent", nil}, {"separators", nil}, {"sort_keys", false}}},
	"trim":       {"Trim", []parameter{{"chars", nil}}},
	"unique":     {"Unique", []parameter{{"case_sensitive", false}, {"attribute", nil}}},
	"upper":      {"Upper", nil},
}

// filter emits a filter of a value.
func (e *emitter) filter(x *filter, of *jen.Statement) *jen.Statement {
	switch x.name {
	case "map":
		return e.mapping(x, of)
	case "select", "reject":
		return method("Select", of, e.keep(x, x.arguments.positional, x.name == "reject"))
	case "selectattr", "rejectattr":
		if len(x.arguments.positional) == 0 {
			return e.fail(x.pos(), "filter %q needs an attribute", x.name)
		}
		return method("SelectAttribute", of, e.value(x.arguments.positional[0]), e.keep(x, x.arguments.positional[1:], x.name == "rejectattr"))
	}
	return e.apply(x.pos(), x.name, of, x.arguments)
}

// apply emits one of the filters.
func (e *emitter) apply(pos int, name string, of *jen.Statement, a arguments) *jen.Statement {
	o, ok := filters[name]
	if !ok {
		return e.fail(pos, "filter %q is not supported", name)
	}
	if len(a.positional) > len(o.params) {
		return e.fail(pos, "filter %q takes at most %d arguments", name, len(o.params))
	}
	for i, n := range a.named {
		at := slices.IndexFunc(o.params, func(p parameter) bool { return p.name == n.name })
		if at < len(a.positional) || slices.ContainsFunc(a.named[:i], func(o named) bool { return o.name == n.name }) {
			return e.fail(pos, "filter %q with an argument %q is not supported", name, n.name)
		}
	}
	args := []jen.Code{of}
	for i, p := range o.params {
		at := slices.IndexFunc(a.named, func(n named) bool { return n.name == p.name })
		switch {
		case i < len(a.positional):
			args = append(args, e.value(a.positional[i]))
		case at >= 0:
			args = append(args, e.value(a.named[at].value))
		case p.missing == required:
			return e.fail(pos, "filter %q needs an argument %q", name, p.name)
		default:
			args = append(args, constant(p.missing))
		}
	}
	return method(o.method, args...)
}

// mapping emits map: of an attribute, or of a filter that is named.
func (e *emitter) mapping(x *filter, of *jen.Statement) *jen.Statement {
	a := x.arguments
	if len(a.positional) == 0 {
		var found, missing *jen.Statement
		for _, n := range a.named {
			switch n.name {
			case "attribute":
				found = e.value(n.value)
			case "default":
				missing = e.value(n.value)
			default:
				return e.fail(x.pos(), "filter \"map\" with an argument %q is not supported", n.name)
			}
		}
		if found == nil {
			return e.fail(x.pos(), "filter \"map\" needs an attribute or a filter")
		}
		if missing == nil {
			missing = valueType().Values()
		}
		return method("MapAttribute", of, found, missing)
	}
	name, ok := constantText(a.positional[0])
	if !ok {
		return e.fail(x.pos(), "filter \"map\" is only supported with a constant name of a filter")
	}
	item := jen.Id("each")
	return method("Map", of, jen.Func().Params(item.Clone().Add(valueType())).Add(valueType()).Block(
		jen.Return(e.apply(x.pos(), name, item, arguments{a.positional[1:], a.named}))))
}

func constantText(x expression) (string, bool) {
	l, ok := x.(*literal)
	if !ok {
		return "", false
	}
	s, ok := l.value.(string)
	return s, ok
}

// keep emits the function that says which items are selected: those of which a
// test that is named is true, or that are true themselves.
func (e *emitter) keep(x *filter, args []expression, rejects bool) *jen.Statement {
	item := jen.Id("each")
	condition := item.Clone().Dot("True").Call()
	if len(args) > 0 {
		name, ok := constantText(args[0])
		if !ok {
			return e.fail(x.pos(), "filter %q is only supported with a constant name of a test", x.name)
		}
		condition = e.is(x.pos(), name, item, args[1:])
	}
	if len(x.arguments.named) > 0 {
		return e.fail(x.pos(), "filter %q with an argument %q is not supported", x.name, x.arguments.named[0].name)
	}
	if rejects {
		condition = jen.Op("!").Parens(condition)
	}
	return jen.Func().Params(item.Clone().Add(valueType())).Bool().Block(jen.Return(condition))
}

// plainTests are methods of values, otherTests of the rendering, and comparing
// ones operators, by the names of tests.
var (
	plainTests = map[string]string{
		"defined": "IsDefined", "none": "IsNone", "boolean": "IsBoolean", "true": "IsTrue", "false": "IsFalse", "integer": "IsInteger",
		"float": "IsFloat", "number": "IsNumber", "string": "IsString", "mapping": "IsMapping", "iterable": "IsIterable",
		"sequence": "IsSequence", "callable": "IsCallable",
	}
	otherTests     = map[string]string{"odd": "IsOdd", "even": "IsEven", "lower": "IsLower", "upper": "IsUpper"}
	argumentTests  = map[string]string{"divisibleby": "IsDivisibleBy", "sameas": "IsSame"}
	comparingTests = map[string]string{
		"eq": "==", "equalto": "==", "==": "==", "ne": "!=", "!=": "!=", "lt": "<", "lessthan": "<", "<": "<", "le": "<=", "<=": "<=",
		"gt": ">", "greaterthan": ">", ">": ">", "ge": ">=", ">=": ">=", "in": "in",
	}
)

// testOf emits a test. Whether functions are defined is known here.
func (e *emitter) testOf(x *test) *jen.Statement {
	if n, ok := x.of.(*name); ok && (n.variable == nil || n.variable.kind == turn) && (x.name == "defined" || x.name == "undefined") {
		return jen.Lit(x.name == "defined")
	}
	if len(x.arguments.named) > 0 {
		return e.fail(x.pos(), "test %q with an argument %q is not supported", x.name, x.arguments.named[0].name)
	}
	return e.is(x.pos(), x.name, e.value(x.of), x.arguments.positional)
}

// is emits a test of a value.
func (e *emitter) is(pos int, name string, of *jen.Statement, args []expression) *jen.Statement {
	count := 0
	if argumentTests[name] != "" || comparingTests[name] != "" {
		count = 1
	}
	if len(args) != count {
		return e.fail(pos, "test %q with %d arguments is not supported", name, len(args))
	}
	switch {
	case name == "undefined":
		return jen.Op("!").Add(of.Clone().Dot("IsDefined").Call())
	case plainTests[name] != "":
		return of.Clone().Dot(plainTests[name]).Call()
	case otherTests[name] != "":
		return method(otherTests[name], of)
	case argumentTests[name] != "":
		return method(argumentTests[name], of, e.value(args[0]))
	case comparingTests[name] != "":
		return compare(comparingTests[name], of, e.value(args[0]))
	}
	return e.fail(pos, "test %q is not supported", name)
}
