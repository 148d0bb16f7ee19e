// Package op holds the operations of the IR, one file each: attributes, shape
// rule, meaning, cost, and the line of families.md that it restates. It sees ir.
package op

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// prototypes holds the zero value of every op by its printed name.
var prototypes = map[string]ir.Op{}

// register adds an op; called from init of the file that defines it.
func register(o ir.Op) {
	if _, ok := prototypes[o.OpName()]; ok {
		panic("BUG: op " + o.OpName() + " is registered twice")
	}
	prototypes[o.OpName()] = o
}

// Names lists the registered ops, sorted.
func Names() []string {
	var names []string
	for name := range prototypes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Prototype is the op of that name with its attributes at zero.
func Prototype(name string) (ir.Op, bool) {
	o, ok := prototypes[name]
	return o, ok
}

// Matrices lists the parameters of a value that are read as matrices, in rows of
// what they are multiplied with: those that have a storage format.
func Matrices(v *ir.Value) []*ir.Param {
	switch v.Op.(type) {
	case Linear, Embed:
		return v.Params[:1]
	case Experts:
		return v.Params[:2]
	}
	return nil
}

// want checks the number of arguments, that parameters (of which the last
// optional ones may be left out) and states are as many as the op has.
func want(args []ir.Type, params []*ir.Param, states []*ir.State, nArgs, nParams, optional, nStates int) error {
	switch {
	case len(args) != nArgs:
		return fmt.Errorf("have %d arguments, want %d", len(args), nArgs)
	case len(params) != nParams:
		return fmt.Errorf("have %d parameters, want %d", len(params), nParams)
	case len(states) != nStates:
		return fmt.Errorf("have %d states, want %d", len(states), nStates)
	}
	for i, p := range params {
		if p == nil && i < nParams-optional {
			return fmt.Errorf("parameter %d is missing", i)
		}
	}
	return nil
}

// shaped checks that a parameter, if it is there, has the axes given.
func shaped(p *ir.Param, shape ...int) error {
	if p == nil || p.Shape.Equal(shape) {
		return nil
	}
	return fmt.Errorf("%s: have %v, want %v", p.Name, p.Shape, tensor.Shape(shape))
}

// stateShaped checks kind and axes of a state.
func stateShaped(s *ir.State, kind ir.StateKind, shape ...int) error {
	if s.Kind != kind || !s.Shape.Equal(shape) {
		return fmt.Errorf("state %s: have %s %v, want %s %v", s.Name, s.Kind, s.Shape, kind, tensor.Shape(shape))
	}
	return nil
}

// together checks that a parameter is there if and only if an attribute asks
// for it.
func together(wanted bool, p *ir.Param) error {
	switch {
	case wanted && p == nil:
		return errors.New("a parameter that the attributes ask for is missing")
	case !wanted && p != nil:
		return fmt.Errorf("%s: the attributes ask for no such parameter", p.Name)
	}
	return nil
}

// floats checks that every argument is a vector.
func floats(args []ir.Type) error {
	for i, a := range args {
		if a.Elem != ir.Float {
			return fmt.Errorf("argument %d is %v, want a vector", i, a)
		}
	}
	return nil
}

// width checks that an argument has n elements per token.
func width(args []ir.Type, i, n int) error {
	if args[i].Width != n {
		return fmt.Errorf("argument %d has width %d, want %d", i, args[i].Width, n)
	}
	return nil
}

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
