package leveltest

import (
	"fmt"
	"reflect"

	"github.com/mmcloughlin/avo/ir"

	"github.com/mambac/mambac/codegen/amd64/interp"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// builder is a back end whose functions the interpreter understands.
type builder interface {
	Build(tiling target.Tiling, specs ...kernel.Spec) (*ir.File, error)
}

// Interpret makes a generated package run a level that this machine may lack:
// kernels points to a package's struct of them, and every kernel that the level
// emits is replaced by the interpreter. The specs are as plans print them. A
// fault in a kernel is a panic.
func Interpret(level string, specs []string, kernels any) error {
	b, ok := target.Lookup(level)
	if !ok {
		return fmt.Errorf("no level %s", level)
	}
	var own []kernel.Spec
	for _, text := range specs {
		spec, err := kernel.ParseSpec(text)
		if err != nil {
			return err
		}
		if b.Supports(spec) {
			own = append(own, spec)
		}
	}
	file, err := b.(builder).Build(nil, own...)
	if err != nil {
		return err
	}
	f, err := interp.Open(file)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(kernels).Elem()
	for _, spec := range own {
		replace(v.FieldByName(kernel.GoName(spec)), f, target.FuncName(spec, level))
	}
	return nil
}

// replace sets a function, which its package does not export, to one that the
// interpreter runs.
func replace(field reflect.Value, f *interp.File, name string) {
	run := reflect.MakeFunc(field.Type(), func(args []reflect.Value) []reflect.Value {
		var list []any
		for _, a := range args {
			list = append(list, a.Interface())
		}
		if err := f.Run(name, list...); err != nil {
			panic(err)
		}
		return nil
	})
	reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem().Set(run)
}
