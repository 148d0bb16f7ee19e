package gosrc

import (
	"bytes"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
)

// newFile begins a source file with a header comment.
func newFile(pkg, header string) *jen.File {
	f := jen.NewFile(pkg)
	f.HeaderComment(header)
	return f
}

// render formats a file; an error means that what we wrote is no Go.
func render(f *jen.File) ([]byte, error) {
	var b bytes.Buffer
	if err := f.Render(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// params writes a signature, neighbours of one type joined: x, y []float32.
func params(spec kernel.Spec) []jen.Code {
	var list []jen.Code
	signature := spec.Signature()
	for i := 0; i < len(signature); {
		kind := signature[i].Type
		var names []jen.Code
		for ; i < len(signature) && signature[i].Type == kind; i++ {
			names = append(names, jen.Id(signature[i].Name))
		}
		list = append(list, jen.List(names...).Id(kind))
	}
	return list
}

// docComment writes a doc comment, line by line; a declaration follows.
func docComment(lines ...string) *jen.Statement {
	s := jen.Null()
	for _, line := range lines {
		s.Comment(line).Line()
	}
	return s
}

// size is one named constant of a twin.
type size struct {
	name  string
	value any
}

// sizes declares the sizes of a spec by name.
func sizes(list ...size) jen.Code {
	return jen.Const().DefsFunc(func(g *jen.Group) {
		for _, c := range list {
			g.Id(c.name).Op("=").Lit(c.value)
		}
	})
}

// id, rounded and the others below are short forms for what twins say often.
func id(name string) *jen.Statement { return jen.Id(name) }

// rounded is float32(a * b): the conversion forbids a fused multiply-add, so
// that every platform gives the same bits.
func rounded(a, b jen.Code) *jen.Statement {
	return jen.Float32().Call(jen.Add(a).Op("*").Add(b))
}

// from is s[start:][:length].
func from(s string, start, length jen.Code) *jen.Statement {
	return jen.Id(s).Index(start, jen.Empty()).Index(jen.Empty(), length)
}

// tokenRow is where a token's row starts: t*stride.
func tokenRow(stride string) *jen.Statement { return jen.Id("t").Op("*").Id(stride) }

// forEach is for v := range n { body }.
func forEach(v string, n jen.Code, body ...jen.Code) *jen.Statement {
	return jen.For(jen.Id(v).Op(":=").Range().Add(n)).Block(body...)
}

// forEachOf is for i, v := range s { body }.
func forEachOf(i, v string, s jen.Code, body ...jen.Code) *jen.Statement {
	return jen.For(jen.List(jen.Id(i), jen.Id(v)).Op(":=").Range().Add(s)).Block(body...)
}
