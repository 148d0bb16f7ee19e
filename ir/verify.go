package ir

import (
	"errors"
	"fmt"
)

// Verify checks that a module is well formed: names are unique, every value
// is defined before its use and has the type that its op infers, parameters
// and states are declared, every state has exactly one user, taps are values,
// none twice, and the output is a vector of the last region.
func Verify(m *Module) error {
	if m.Input == nil || m.Output == nil || len(m.Regions) == 0 {
		return errors.New("a module needs an input, a region and an output")
	}
	v := &verifier{names: map[string]bool{}, defined: map[*Value]bool{m.Input: true}, declared: map[any]bool{}, users: map[*State]int{}}
	if m.Input.Op != nil || m.Input.Type.Elem != ID {
		return fmt.Errorf("input %%%s is %v, want ids without an op", m.Input.Name, m.Input.Type)
	}
	v.name("%", m.Input.Name)
	v.declare(m)
	for _, r := range m.Regions {
		v.name("region ", r.Name)
		for _, value := range r.Body {
			if err := v.value(value); err != nil {
				return fmt.Errorf("%s: %%%s: %w", r.Name, value.Name, err)
			}
		}
	}
	return v.finish(m)
}

type verifier struct {
	names    map[string]bool
	defined  map[*Value]bool
	declared map[any]bool
	users    map[*State]int
	err      error
}

func (v *verifier) fail(format string, args ...any) {
	if v.err == nil {
		v.err = fmt.Errorf(format, args...)
	}
}

func (v *verifier) name(sigil, name string) {
	if name == "" || v.names[sigil+name] {
		v.fail("name %s%q is empty or not unique", sigil, name)
	}
	v.names[sigil+name] = true
}

func (v *verifier) declare(m *Module) {
	for _, p := range m.Params {
		v.name("@", p.Name)
		v.declared[p] = true
		if p.Transform != Identity && p.Transform != NegExp {
			v.fail("parameter %s has the unknown transform %q", p.Name, p.Transform)
		}
	}
	for _, s := range m.States {
		v.name("$", s.Name)
		v.declared[s] = true
	}
}

func (v *verifier) value(x *Value) error {
	v.name("%", x.Name)
	if x.Op == nil {
		return errors.New("has no op")
	}
	types := make([]Type, len(x.Args))
	for i, a := range x.Args {
		if a == nil || !v.defined[a] {
			return fmt.Errorf("argument %d is not defined before its use", i)
		}
		types[i] = a.Type
	}
	for i, p := range x.Params {
		if p != nil && !v.declared[p] {
			return fmt.Errorf("parameter %d (%s) is not declared", i, p.Name)
		}
	}
	for i, s := range x.States {
		if s == nil || !v.declared[s] {
			return fmt.Errorf("state %d is not declared", i)
		}
		v.users[s]++
	}
	t, err := x.Op.Infer(types, x.Params, x.States)
	if err != nil {
		return fmt.Errorf("%s: %w", x.Op.OpName(), err)
	}
	if t != x.Type {
		return fmt.Errorf("%s: is declared %v, the shape rule gives %v", x.Op.OpName(), x.Type, t)
	}
	if t.Elem == Float && t.Width < 1 {
		return fmt.Errorf("%s: gives %v, want at least one element", x.Op.OpName(), t)
	}
	v.defined[x] = true
	return nil
}

func (v *verifier) finish(m *Module) error {
	for _, s := range m.States {
		if n := v.users[s]; n != 1 {
			v.fail("state %s has %d users, want 1", s.Name, n)
		}
	}
	tapped := map[*Value]bool{}
	for _, t := range m.Taps {
		switch {
		case !v.defined[t] || t == m.Input:
			v.fail("a tap is not a value of the module")
		case tapped[t]:
			v.fail("value %%%s is tapped twice", t.Name)
		}
		tapped[t] = true
	}
	if !v.defined[m.Output] || m.Output == m.Input {
		v.fail("the output is not a value of the module")
	} else if last := m.Regions[len(m.Regions)-1].Body; !contains(last, m.Output) {
		v.fail("the output %%%s is not of the last region", m.Output.Name)
	}
	return v.err
}

func contains(list []*Value, v *Value) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}
