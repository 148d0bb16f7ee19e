package gosrc

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// kernels emits the type that holds one function per spec.
func (e *emitter) kernels(f *jen.File) {
	f.Comment("kernels is one level's function for every kernel of the model.")
	f.Type().Id("kernels").StructFunc(func(g *jen.Group) {
		for _, s := range e.specs {
			g.Comment(kernel.Format(s))
			g.Id(kernel.GoName(s)).Func().Params(signature(s)...)
		}
	})
	f.Comment("level is a set of kernels and what the CPU must have to run it.")
	f.Type().Id("level").Struct(
		jen.Qual(enginePath, "Level"),
		jen.Id("kernels").Id("kernels"),
	)
}

// signature is a spec's parameters as Go code.
func signature(s kernel.Spec) []jen.Code {
	var params []jen.Code
	for _, p := range s.Signature() {
		params = append(params, jen.Id(p.Name).Id(p.Type))
	}
	return params
}

// levels emits the table of levels of one architecture, best first.
func (e *emitter) levels(f *jen.File, backends []target.Backend) {
	f.Comment("levels holds the kernel sets of this build, the most preferred first.")
	f.Var().Id("levels").Op("=").Index().Id("level").ValuesFunc(func(g *jen.Group) {
		for i := len(backends) - 1; i >= 0; i-- {
			e.level(g, backends[i])
		}
		if e.Generic || len(backends) == 0 {
			e.level(g, nil)
		}
	})
}

// level emits one row of the table; nil stands for the twins.
func (e *emitter) level(g *jen.Group, b target.Backend) {
	name := target.Generic
	var features []jen.Code
	if b != nil {
		name = b.Level().Name
		for _, f := range b.Level().Features {
			features = append(features, jen.Lit(f))
		}
	}
	info := jen.Dict{jen.Id("Name"): jen.Lit(name)}
	if len(features) > 0 {
		info[jen.Id("Features")] = jen.Index().String().Values(features...)
	}
	functions := jen.Dict{}
	for _, s := range e.specs {
		from := name
		if b == nil || !b.Supports(s) {
			from = target.Generic
		}
		functions[jen.Id(kernel.GoName(s))] = jen.Id(target.FuncName(s, from))
	}
	g.Line().Values(jen.Dict{
		jen.Id("Level"):   jen.Qual(enginePath, "Level").Values(info),
		jen.Id("kernels"): jen.Id("kernels").Values(functions),
	})
}

// docf is a doc comment with a printf format, a // line per line.
func docf(f *jen.File, format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		f.Comment(line)
	}
}
