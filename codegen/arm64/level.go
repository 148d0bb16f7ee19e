// Package arm64 emits kernels in Go assembly for NEON, with a printer of its
// own. It sees kernel, polynomial and target.
package arm64

import (
	"fmt"
	"strings"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// lanes is the number of float32 of a vector register.
const lanes = 4

// Level is a CPU level of this architecture. It implements target.Backend.
type Level struct {
	level target.Level
}

// Level implements target.Backend.
func (l *Level) Level() target.Level { return l.level }

// emitters holds, per kind, the function that emits a spec's body.
var emitters = map[string]emitter{}

// emitter emits kernels of one kind.
type emitter struct {
	supports func(s kernel.Spec) bool
	emit     func(a *asm, s kernel.Spec)
}

// registerKind is called from init of the kind's file.
func registerKind[S kernel.Spec](supports func(S) bool, emit func(*asm, S)) {
	var zero S
	if _, ok := emitters[zero.Kind()]; ok {
		panic("BUG: kind " + zero.Kind() + " is emitted twice")
	}
	emitters[zero.Kind()] = emitter{
		func(s kernel.Spec) bool { return supports(s.(S)) },
		func(a *asm, s kernel.Spec) { emit(a, s.(S)) },
	}
}

// Supports implements target.Backend.
func (l *Level) Supports(s kernel.Spec) bool {
	e, ok := emitters[s.Kind()]
	return ok && e.supports(s)
}

// Improves implements target.Backend: there is no level below.
func (l *Level) Improves(s kernel.Spec) bool { return l.Supports(s) }

// Build returns the instructions of the given specs, one function each.
func (l *Level) Build(specs ...kernel.Spec) (*File, error) {
	file, labels := &File{}, 0
	for _, s := range specs {
		if !l.Supports(s) {
			return nil, fmt.Errorf("%s: level %s does not emit it", s.Name(), l.level.Name)
		}
		file.Functions = append(file.Functions, l.function(s, &labels))
	}
	return file, nil
}

// Tiles implements target.Backend: every kernel has one form.
func (l *Level) Tiles(kernel.Spec) []target.Tile { return nil }

// Cost implements target.Backend: there is nothing to choose.
func (l *Level) Cost(kernel.Spec, target.Tile, int) float64 { return 0 }

// Emit implements target.Backend.
func (l *Level) Emit(_, header string, specs []kernel.Spec, _ target.Tiling) ([]byte, error) {
	file, err := l.Build(specs...)
	if err != nil {
		return nil, err
	}
	return file.Print(header), nil
}

// asm emits one function.
type asm struct {
	pool
	code       *Function
	labels     *int // of the file
	parameters map[string]parameter
}

// function emits one kernel.
func (l *Level) function(s kernel.Spec, labels *int) *Function {
	a := &asm{
		code: &Function{name: target.FuncName(s, l.level.Name)},
		pool: newPool(), labels: labels, parameters: map[string]parameter{},
	}
	var params []string
	for _, p := range s.Signature() {
		params = append(params, p.Name+" "+p.Type)
		a.declare(p)
	}
	a.code.signature = "(" + strings.Join(params, ", ") + ")"
	a.legend(s.Name() + " for " + l.level.Name + ".")
	emitters[s.Kind()].emit(a, s)
	a.put("RET")
	return a.code
}

// declare gives a parameter its place among the arguments.
func (a *asm) declare(p kernel.Param) {
	if p.Type == "int" {
		a.parameters[p.Name] = parameter{p.Name, a.code.bytes}
		a.code.bytes += 8
		return
	}
	a.parameters[p.Name] = parameter{p.Name + "_base", a.code.bytes}
	a.code.bytes += 24
}

// argument loads an int parameter, or the base of a slice.
func (a *asm) argument(name string) general {
	p, ok := a.parameters[name]
	if !ok {
		panic("BUG: " + a.code.name + " has no parameter " + name)
	}
	r := a.gp()
	a.load(p, r)
	return r
}

// label makes a name that is unique in the file.
func (a *asm) label(base string) label {
	*a.labels++
	return label(fmt.Sprintf("%s%d", base, *a.labels))
}

// countdown ends a loop that a register counts down to zero.
func (a *asm) countdown(n general, loop label) {
	a.sub(1, n)
	a.ifNotZero(n, loop)
}
