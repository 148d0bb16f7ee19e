package gosrc

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// kerneltest is the package that emitted tests are written with.
const kerneltest = "github.com/mambac/mambac/runtime/kerneltest"

// TestFile is the source of kernels_test.go: the list of a package's kernels
// and the test of every twin. kerneltest has a type of the same name and
// fields as each kind's spec.
func TestFile(pkg, header string, specs []kernel.Spec) ([]byte, error) {
	f := newFile(pkg, header)
	f.ImportName(kerneltest, "kerneltest")
	f.Add(docComment("testedKernels lists every kernel of this package with its twin.")).
		Var().Id("testedKernels").Op("=").Index().Qual(kerneltest, "Subject").
		Values(lines(specs, func(s kernel.Spec) jen.Code {
			return jen.Values(
				jen.Line().Add(field("Name", jen.Lit(s.Name()))),
				jen.Line().Add(field("Kernel", kernelLiteral(s))),
				jen.Line().Add(field("Twin", caller(s, target.Generic))),
				jen.Line(),
			)
		})...)
	f.Line()
	f.Add(testFunction("TestTwins", "Twins", id("testedKernels")))
	return render(f)
}

// LevelTestFile is the source of kernels_<goarch>_test.go: every kernel that
// the back ends support, at each level that the CPU has, against its meaning,
// its twin and the other levels. All back ends are of one GOARCH.
func LevelTestFile(pkg, header string, specs []kernel.Spec, backends []target.Backend) ([]byte, error) {
	if len(backends) == 0 {
		return nil, errors.New("no levels to test")
	}
	first := backends[0].Level()
	f := newFile(pkg, header)
	f.HeaderComment(assemblyConstraint(first))
	f.ImportName(kerneltest, "kerneltest")
	var levels []jen.Code
	for _, b := range backends {
		if arch := b.Level().GOARCH; arch != first.GOARCH {
			return nil, fmt.Errorf("levels %s (%s) and %s (%s) in one test file", first.Name, first.GOARCH, b.Level().Name, arch)
		}
		levels = append(levels, jen.Line().Add(levelLiteral(specs, b)))
	}
	f.Add(docComment("testedLevels lists the assembly of this package.")).
		Var().Id("testedLevels").Op("=").Index().Qual(kerneltest, "Level").Values(append(levels, jen.Line())...)
	f.Line()
	f.Add(testFunction("TestLevels", "Levels", id("testedKernels"), id("testedLevels")))
	return render(f)
}

func levelLiteral(specs []kernel.Spec, b target.Backend) jen.Code {
	level := b.Level()
	var features []jen.Code
	for _, feature := range level.Features {
		features = append(features, jen.Lit(feature))
	}
	calls := jen.Dict{}
	for _, s := range specs {
		if b.Supports(s) {
			calls[jen.Lit(s.Name())] = caller(s, level.Name)
		}
	}
	return jen.Values(
		jen.Line().Add(field("Name", jen.Lit(level.Name))),
		jen.Line().Add(field("Features", jen.Index().String().Values(features...))),
		jen.Line().Add(field("Kernels", jen.Map(jen.String()).Qual(kerneltest, "Func").Values(calls))),
		jen.Line(),
	)
}

func testFunction(name, check string, args ...jen.Code) jen.Code {
	return jen.Func().Id(name).Params(id("t").Op("*").Qual("testing", "T")).Block(
		jen.Qual(kerneltest, check).Call(append([]jen.Code{id("t")}, args...)...),
	)
}

// caller is a function literal that calls a kernel with the arguments of a
// kerneltest.Call.
func caller(s kernel.Spec, level string) jen.Code {
	access := map[string]string{"[]float32": "F32", "[]uint16": "U16", "[]uint8": "U8", "[]int32": "I32", "int": "Int"}
	var args []jen.Code
	for _, p := range s.Signature() {
		method, ok := access[p.Type]
		if !ok {
			panic("BUG: " + s.Name() + " has a parameter of type " + p.Type)
		}
		args = append(args, id("c").Dot(method).Call(jen.Lit(p.Name)))
	}
	return jen.Func().Params(id("c").Op("*").Qual(kerneltest, "Call")).Block(
		id(target.FuncName(s, level)).Call(args...),
	)
}

// kernelLiteral names the meaning of a spec: the type of kerneltest with the
// spec's own name and fields.
func kernelLiteral(s kernel.Spec) jen.Code {
	v := reflect.ValueOf(s)
	return jen.Qual(kerneltest, v.Type().Name()).Values(fields(v)...)
}

// fields sets the fields that are not zero, those of structs inside too.
func fields(v reflect.Value) []jen.Code {
	var list []jen.Code
	for i := range v.NumField() {
		name, value := v.Type().Field(i).Name, v.Field(i)
		switch {
		case value.Kind() == reflect.Struct:
			list = append(list, fields(value)...)
		case value.IsZero():
		case value.Kind() == reflect.String:
			list = append(list, field(name, jen.Lit(value.String())))
		case value.Kind() == reflect.Bool:
			list = append(list, field(name, jen.True()))
		case value.CanInt():
			list = append(list, field(name, jen.Lit(int(value.Int()))))
		default:
			list = append(list, field(name, jen.Lit(int(value.Uint()))))
		}
	}
	return list
}

func field(name string, value jen.Code) *jen.Statement { return id(name).Op(":").Add(value) }

// lines puts each element of a literal on a line of its own.
func lines(specs []kernel.Spec, element func(kernel.Spec) jen.Code) []jen.Code {
	var list []jen.Code
	for _, s := range specs {
		list = append(list, jen.Line().Add(element(s)))
	}
	return append(list, jen.Line())
}
