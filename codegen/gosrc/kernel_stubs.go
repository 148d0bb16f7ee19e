package gosrc

import (
	"fmt"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
)

// StubFile declares the assembly functions of a level in Go, for builds on its
// GOARCH without the tag purego; header is a comment for its top.
func StubFile(pkg, header string, level target.Level, specs []kernel.Spec) ([]byte, error) {
	f := newFile(pkg, header)
	f.HeaderComment(assemblyConstraint(level))
	for _, spec := range specs {
		name := target.FuncName(spec, level.Name)
		f.Add(docComment(
			fmt.Sprintf("%s is %s for %s.", name, spec.Name(), level.Name), "", "//go:noescape",
		).Func().Id(name).Params(params(spec)...)).Line()
	}
	return render(f)
}

// assemblyConstraint is the build constraint of files that need a level's
// assembly.
func assemblyConstraint(level target.Level) string {
	return "//go:build " + level.GOARCH + " && !purego"
}
