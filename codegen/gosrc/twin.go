package gosrc

import (
	"fmt"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// twin is the pure-Go equal of a kernel.
type twin struct {
	doc   string     // what follows the function's name in its comment
	body  []jen.Code // statements
	needs []string   // names of support declarations
}

// support is a declaration that twins share: a constant or a function,
// present once in a file, and only where some twin needs it.
type support struct {
	code  func() jen.Code
	needs []string
}

var (
	twins    = map[string]func(kernel.Spec) twin{}
	supports = map[string]support{}
)

// registerTwin adds the twin of a kind; called from init of the kind's file.
func registerTwin[S kernel.Spec](write func(S) twin) {
	var zero S
	kind := zero.Kind()
	if twins[kind] != nil {
		panic("BUG: the twin of " + kind + " is registered twice")
	}
	twins[kind] = func(s kernel.Spec) twin { return write(s.(S)) }
}

// registerSupport adds a shared declaration.
func registerSupport(name string, code func() jen.Code, needs ...string) {
	if supports[name].code != nil {
		panic("BUG: the support declaration " + name + " is registered twice")
	}
	supports[name] = support{code, needs}
}

// TwinKinds lists the kinds that have a twin, sorted.
func TwinKinds() []string { return sortedKeys(twins) }

// Twin is the pure-Go function of a spec, named target.FuncName(spec,
// target.Generic), with the spec's signature. A kind without a twin is an
// error. The function uses declarations that TwinFile writes beside it.
func Twin(spec kernel.Spec) (jen.Code, error) {
	t, err := twinOf(spec)
	if err != nil {
		return nil, err
	}
	return declareTwin(spec, t), nil
}

func twinOf(spec kernel.Spec) (twin, error) {
	write, ok := twins[spec.Kind()]
	if !ok {
		return twin{}, fmt.Errorf("%s: no pure-Go twin for kind %q (kinds with one: %v)", spec.Name(), spec.Kind(), TwinKinds())
	}
	return write(spec), nil
}

func declareTwin(spec kernel.Spec, t twin) jen.Code {
	name := target.FuncName(spec, target.Generic)
	return docComment(fmt.Sprintf("%s is %s:", name, spec.Name()), t.doc).
		Func().Id(name).Params(params(spec)...).Block(t.body...)
}

// TwinFile is a whole source file with the twin of every spec and the
// declarations they share; header is a comment for its top.
func TwinFile(pkg, header string, specs []kernel.Spec) ([]byte, error) {
	f := newFile(pkg, header)
	needs := map[string]bool{}
	var functions []jen.Code
	for _, spec := range specs {
		t, err := twinOf(spec)
		if err != nil {
			return nil, err
		}
		requireSupport(needs, t.needs)
		functions = append(functions, declareTwin(spec, t))
	}
	for _, name := range sortedKeys(needs) {
		f.Add(supports[name].code()).Line()
	}
	for _, function := range functions {
		f.Add(function).Line()
	}
	return render(f)
}

// requireSupport marks the declarations and all that they need themselves.
func requireSupport(marked map[string]bool, names []string) {
	for _, name := range names {
		if supports[name].code == nil {
			panic("BUG: no support declaration " + name)
		}
		if !marked[name] {
			marked[name] = true
			requireSupport(marked, supports[name].needs)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
