package template

// An expression of the template. Names in comments are those of Jinja's grammar.
type expression interface{ pos() int }

type at int // place in the template

func (a at) pos() int { return int(a) }

type (
	name struct {
		at
		name string
		symbol
	}
	literal struct {
		at
		value any // nil, bool, int64, float64 or string
	}
	sequence struct { // list or tuple
		at
		items []expression
		tuple bool
	}
	dict struct {
		at
		keys, values []expression
	}
	attribute struct { // of.name
		at
		of   expression
		name string
	}
	index struct { // of[key]
		at
		of, key expression
	}
	slice struct { // of[start:end:step], nil for what is left out
		at
		of               expression
		start, end, step expression
	}
	call struct { // of(…)
		at
		of        expression
		arguments arguments
	}
	filter struct { // of | name(…)
		at
		of        expression
		name      string
		arguments arguments
	}
	test struct { // of is name(…)
		at
		of        expression
		name      string
		arguments arguments
	}
	unary struct { // not, - or +
		at
		op string
		of expression
	}
	binary struct { // and, or, arithmetic
		at
		op          string
		left, right expression
	}
	comparison struct { // first ops[0] rest[0] ops[1] rest[1] …
		at
		first expression
		ops   []string
		rest  []expression
	}
	concat struct { // a ~ b ~ …
		at
		parts []expression
	}
	conditional struct { // then if condition else otherwise, which may be nil
		at
		condition, then, otherwise expression
	}
)

// arguments of a call, a filter or a test.
type arguments struct {
	positional []expression
	named      []named
}

type named struct {
	name  string
	value expression
}

// children are the parts of an expression.
func children(e expression) []expression {
	var list []expression
	switch e := e.(type) {
	case *sequence:
		list = e.items
	case *dict:
		list = append(append(list, e.keys...), e.values...)
	case *attribute:
		list = []expression{e.of}
	case *index:
		list = []expression{e.of, e.key}
	case *slice:
		list = []expression{e.of, e.start, e.end, e.step}
	case *call:
		list = append([]expression{e.of}, e.arguments.all()...)
	case *filter:
		list = append([]expression{e.of}, e.arguments.all()...)
	case *test:
		list = append([]expression{e.of}, e.arguments.all()...)
	case *unary:
		list = []expression{e.of}
	case *binary:
		list = []expression{e.left, e.right}
	case *comparison:
		list = append([]expression{e.first}, e.rest...)
	case *concat:
		list = e.parts
	case *conditional:
		list = []expression{e.condition, e.then, e.otherwise}
	}
	return list
}

func (a *arguments) all() []expression {
	list := append([]expression{}, a.positional...)
	for _, n := range a.named {
		list = append(list, n.value)
	}
	return list
}
