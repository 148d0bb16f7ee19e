package template

import "slices"

// A scope holds the variables that a block assigns to: Jinja's blocks of loops,
// macros and the like have their own, those of conditions have not. A variable
// begins with the value that its name has outside.
type scope struct {
	parent    *scope
	variables map[string]*variable
	order     []*variable
}

// variable is a variable of one scope.
type variable struct {
	name string
	id   string // in Go, if it is read
	kind variableKind
	// outside is what the variable begins as, unless declared says which statement
	// it begins at: the first that mentions it, and always comes to it.
	outside  *variable
	declared statement
	reads    int
}

type variableKind int

const (
	assigned variableKind = iota // by statements
	given                        // by a loop or as an argument
	context                      // by the conversation
	turn                         // the variable "loop" of a loop
	caller                       // the variable "caller" of a macro
)

// symbol is what a name stands for: a variable, or nil for a function that every
// template knows.
type symbol struct{ variable *variable }

// resolver finds what names stand for.
type resolver struct {
	*source
	root *scope // of the conversation
	all  []*variable
	err  error
}

func (r *resolver) fail(pos int, format string, args ...any) {
	if r.err == nil {
		r.err = r.errorf(pos, format, args...)
	}
}

// resolve fills in the symbols of a template, and returns what the conversation
// must give.
func (s *source) resolve(b *block) (asked []*variable, err error) {
	r := &resolver{source: s, root: &scope{variables: map[string]*variable{}}}
	r.block(b, r.root, nil)
	// What a variable begins as is read if the variable is.
	for i := len(r.all) - 1; i >= 0; i-- {
		if v := r.all[i]; v.reads > 0 && v.declared == nil && v.outside != nil && v.outside.kind != context {
			v.outside.reads++
		}
	}
	ids := identifiers{}
	for _, v := range append(r.root.order, r.all...) {
		if v.reads > 0 {
			v.id = ids.next(v.name)
		}
	}
	return r.root.order, r.err
}

// define makes a variable of a scope.
func (r *resolver) define(s *scope, name string, kind variableKind) *variable {
	v := &variable{name: name, kind: kind}
	s.variables[name] = v
	s.order = append(s.order, v)
	if s != r.root {
		r.all = append(r.all, v)
	}
	return v
}

// block resolves a block whose scope has some variables already.
func (r *resolver) block(b *block, parent *scope, have func(*scope)) {
	b.scope = &scope{parent: parent, variables: map[string]*variable{}}
	if have != nil {
		have(b.scope)
	}
	first := mentions{}
	for _, s := range b.statements {
		first.statement(s, true)
	}
	eachTarget(b.statements, func(t *name) {
		if b.variables[t.name] != nil {
			return
		}
		v := r.define(b.scope, t.name, assigned)
		if v.declared = first[t.name]; v.declared == nil {
			v.outside = r.find(parent, t.name)
		}
	})
	r.statements(b.statements, b.scope)
}

// find looks a name up. Functions are not variables.
func (r *resolver) find(s *scope, name string) *variable {
	for ; s != nil; s = s.parent {
		if v := s.variables[name]; v != nil {
			return v
		}
	}
	if slices.Contains(functions, name) {
		return nil
	}
	return r.define(r.root, name, context)
}

// eachTarget visits the names that statements assign to in the scope they are
// in.
func eachTarget(list []statement, visit func(*name)) {
	for _, s := range list {
		switch s := s.(type) {
		case *assignment:
			for _, t := range s.targets {
				if s.attribute == "" {
					visit(t)
				}
			}
		case *capture:
			if s.target != nil && s.attribute == "" {
				visit(s.target)
			}
		case *macro:
			visit(s.target)
		case *condition:
			for _, b := range s.branches {
				eachTarget(b.body, visit)
			}
			eachTarget(s.otherwise, visit)
		}
	}
}

// statements resolves the names in statements of a scope.
func (r *resolver) statements(list []statement, s *scope) {
	for _, st := range list {
		r.statement(st, s)
	}
}

func (r *resolver) statement(st statement, s *scope) {
	r.expressions(s, expressionsOf(st)...)
	switch st := st.(type) {
	case *assignment:
		for _, t := range st.targets {
			r.target(s, t, st.attribute)
		}
	case *capture:
		r.block(st.body, s, nil)
		if st.target != nil {
			r.target(s, st.target, st.attribute)
		}
	case *condition:
		for _, b := range st.branches {
			r.statements(b.body, s)
		}
		r.statements(st.otherwise, s)
	case *loop:
		r.loop(st, s)
	case *macro:
		r.target(s, st.target, "")
		r.signature(st.signature, s, true)
	case *callBlock:
		r.signature(st.signature, s, false)
	case *scoped:
		r.block(st.body, s, func(inner *scope) { r.give(inner, st.targets) })
	}
}

// target resolves what is assigned to; an attribute of it reads the variable.
func (r *resolver) target(s *scope, t *name, attribute string) {
	if attribute != "" {
		r.name(s, t)
		return
	}
	t.variable = s.variables[t.name]
	if t.variable == nil { // within a condition
		t.variable = r.find(s, t.name)
	}
}

func (r *resolver) give(s *scope, names []*name) {
	for _, n := range names {
		if s.variables[n.name] != nil {
			r.fail(n.pos(), "syntax: %q twice", n.name)
		}
		n.variable = r.define(s, n.name, given)
	}
}

func (r *resolver) loop(l *loop, s *scope) {
	r.block(l.body, s, func(inner *scope) {
		r.give(inner, l.targets)
		r.define(inner, "loop", turn)
	})
	if l.only != nil { // sees the items, but not the loop
		seen := &scope{parent: s, variables: map[string]*variable{}}
		for _, t := range l.targets {
			l.tested = append(l.tested, r.define(seen, t.name, given))
		}
		r.expressions(seen, l.only)
	}
	if l.otherwise != nil {
		r.block(l.otherwise, s, nil)
	}
}

func (r *resolver) signature(m *signature, s *scope, isMacro bool) {
	r.block(m.body, s, func(inner *scope) {
		r.give(inner, m.params)
		if isMacro {
			r.define(inner, "caller", caller)
		}
		r.expressions(inner, m.defaults...)
	})
}

// expressions resolves the names in expressions; nil ones are left out.
func (r *resolver) expressions(s *scope, list ...expression) {
	for _, e := range list {
		if e == nil {
			continue
		}
		if n, ok := e.(*name); ok {
			r.name(s, n)
		}
		r.expressions(s, children(e)...)
	}
}

func (r *resolver) name(s *scope, n *name) {
	if n.variable = r.find(s, n.name); n.variable != nil {
		n.variable.reads++
	}
}

// expressionsOf are the expressions that a statement computes in the scope it is
// in.
func expressionsOf(s statement) []expression {
	switch s := s.(type) {
	case *output:
		return []expression{s.value}
	case *assignment:
		return []expression{s.value}
	case *capture:
		return []expression{s.value}
	case *condition:
		var list []expression
		for _, b := range s.branches {
			list = append(list, b.condition)
		}
		return list
	case *loop:
		return []expression{s.over}
	case *callBlock:
		return []expression{s.call}
	case *scoped:
		return s.values
	}
	return nil
}

// mentions says of the names in a block which statement mentions them first, if
// that is one that begins a variable; nil of others.
type mentions map[string]statement

// statement goes through a statement; always says that it lies in the block
// itself, where every way comes to it.
func (m mentions) statement(s statement, always bool) {
	m.expressions(expressionsOf(s)...)
	switch s := s.(type) {
	case *assignment:
		for _, t := range s.targets {
			m.target(t, s, always && len(s.targets) == 1 && s.attribute == "")
		}
	case *capture:
		m.block(s.body)
		if s.target != nil {
			m.target(s.target, s, always && s.attribute == "")
		}
	case *condition:
		for _, b := range s.branches {
			m.statements(b.body)
		}
		m.statements(s.otherwise)
	case *loop:
		m.expressions(s.only)
		m.block(s.body)
		m.block(s.otherwise)
	case *macro:
		m.signature(s.signature)
		m.target(s.target, s, always)
	case *callBlock:
		m.signature(s.signature)
	case *scoped:
		m.block(s.body)
	}
}

func (m mentions) target(t *name, s statement, begins bool) {
	if _, seen := m[t.name]; seen {
		return
	}
	if !begins {
		s = nil
	}
	m[t.name] = s
}

func (m mentions) statements(list []statement) {
	for _, s := range list {
		m.statement(s, false)
	}
}

func (m mentions) block(b *block) {
	if b != nil {
		m.statements(b.statements)
	}
}

func (m mentions) signature(s *signature) {
	m.expressions(s.defaults...)
	m.block(s.body)
}

func (m mentions) expressions(list ...expression) {
	for _, e := range list {
		if e == nil {
			continue
		}
		if n, ok := e.(*name); ok {
			m.target(n, nil, false)
		}
		m.expressions(children(e)...)
	}
}
