// Package template compiles the chat templates of checkpoints, which are written
// in Jinja, to Go that calls runtime/template. It sees nothing of ours but the path
// of that package.
package template

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/dave/jennifer/jen"
)

// Template is a chat template as a checkpoint has it.
type Template struct {
	Name string // "default" for the one that is used if none is named
	Text string
}

// Set is the chat templates of a checkpoint.
type Set struct {
	Templates []Template // the default one first
	// Tokens are the special tokens that templates may write, by the names of
	// their variables.
	Tokens map[string]string
}

// Variable is the name of the variable that File emits, a list of runtime/template's
// Template.
const Variable = "chatTemplates"

// limitText bounds a template's text.
const limitText = 128 << 10

// runtimePath is the package that emitted code calls.
const runtimePath = "github.com/mambac/mambac/runtime/template"

// File emits a Go file with the templates. An error names the template, and the
// line and construct in it that cannot be compiled.
func (s *Set) File(pkg, header string) ([]byte, error) {
	f := jen.NewFile(pkg)
	f.HeaderComment(header)
	f.ImportName(runtimePath, "template")
	var table []jen.Code
	var bodies [][]jen.Code
	for i, t := range s.Templates {
		body, err := compile(t.Text)
		if err != nil {
			return nil, fmt.Errorf("chat template %q: %w", t.Name, err)
		}
		bodies = append(bodies, body)
		table = append(table, jen.Line().Values(
			jen.Id("Name").Op(":").Lit(t.Name), jen.Id("Tokens").Op(":").Id("chatTokens"), jen.Id("Write").Op(":").Id(function(i)),
		))
	}
	f.Comment(Variable + " write conversations as the model has learned to read them.")
	f.Var().Id(Variable).Op("=").Index().Qual(runtimePath, "Template").Values(append(table, jen.Line())...)
	f.Comment("chatTokens are the special tokens that templates know by name.")
	f.Var().Id("chatTokens").Op("=").Map(jen.String()).String().Values(dictOf(s.Tokens))
	for i, body := range bodies {
		f.Comment(fmt.Sprintf("%s is %s[%d].", function(i), Variable, i))
		f.Func().Id(function(i)).Params(run().Op("*").Qual(runtimePath, "Run")).Block(body...)
	}
	var b bytes.Buffer
	err := f.Render(&b)
	return b.Bytes(), err
}

func function(i int) string {
	if i == 0 {
		return "chatTemplate"
	}
	return fmt.Sprintf("chatTemplate%d", i+1)
}

func dictOf(m map[string]string) jen.Dict {
	d := jen.Dict{}
	for k, v := range m {
		d[jen.Lit(k)] = jen.Lit(v)
	}
	return d
}

// Check reports what of a template cannot be compiled.
func Check(text string) error {
	_, err := compile(text)
	return err
}

// compile gives the statements of the function that a template becomes.
func compile(text string) ([]jen.Code, error) {
	if len(text) > limitText {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(text), limitText)
	}
	s := newSource(text)
	statements, err := s.parse()
	if err != nil {
		return nil, err
	}
	b := &block{statements: statements}
	variables, err := s.resolve(b)
	if err != nil {
		return nil, err
	}
	e := &emitter{source: s}
	var code []jen.Code
	for _, v := range variables {
		if v.reads > 0 {
			code = append(code, jen.Id(v.id).Op(":=").Add(method("Variable", jen.Lit(v.name))))
		}
	}
	return slices.Concat(code, e.block(b)), e.err
}
