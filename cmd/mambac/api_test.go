package main

import (
	"bytes"
	"go/ast"
	"go/doc"
	"go/format"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// apiPackages are those that programs of others import.
var apiPackages = []string{"runtime/model", "generated/tiny"}

// notForwarded is what a generated package leaves to itself or to mambac.
var notForwarded = map[string]string{
	"Open":          "a generated package has its own, without Package",
	"Package":       "is what a generated package fills in",
	"OpenedPayload": "built programs find the payload in themselves",
	"CacheFolder":   "mambac generate asks for it",
	"PayloadsEnv":   "mambac's help names it",
}

// declared is one exported name.
type declared struct {
	text string // of the declaration, without bodies, comments and what is not exported
	doc  string
}

// exportedAPI lists what a package exports, by name; methods as Type.Method.
func exportedAPI(t *testing.T, path string) map[string]declared {
	t.Helper()
	api := map[string]declared{}
	for _, p := range packages(t) {
		if p.ImportPath != module+"/"+path {
			continue
		}
		eachFile(t, p, func(_ string, f *ast.File) {
			for _, d := range f.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					addFunction(t, api, d)
				case *ast.GenDecl:
					addGroup(t, api, d)
				}
			}
		})
	}
	if len(api) == 0 {
		t.Fatalf("%s exports nothing", path)
	}
	return api
}

func addFunction(t *testing.T, api map[string]declared, d *ast.FuncDecl) {
	t.Helper()
	name := d.Name.Name
	if d.Recv != nil {
		of, _ := strings.CutPrefix(printed(t, d.Recv.List[0].Type), "*")
		if !ast.IsExported(of) {
			return
		}
		name = of + "." + name
	}
	if d.Name.IsExported() {
		api[name] = declared{printed(t, &ast.FuncDecl{Recv: d.Recv, Name: d.Name, Type: d.Type}), d.Doc.Text()}
	}
}

// addGroup adds what a declaration in parentheses exports; without a comment of
// its own, a name has that of the group.
func addGroup(t *testing.T, api map[string]declared, d *ast.GenDecl) {
	t.Helper()
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				text := documented(s.Doc, s.Comment, d)
				requireFieldDocs(t, s)
				withoutUnexported(s)
				api[s.Name.Name] = declared{"type " + printed(t, s), text}
			}
		case *ast.ValueSpec:
			for i, id := range s.Names {
				if id.IsExported() {
					api[id.Name] = declared{d.Tok.String() + " " + printed(t, oneValue(d.Tok, s, i)), documented(s.Doc, s.Comment, d)}
				}
			}
		}
	}
}

// oneValue is one name of a specification. What a variable begins with is no
// part of the API, the value of a constant is.
func oneValue(tok token.Token, s *ast.ValueSpec, i int) *ast.ValueSpec {
	one := &ast.ValueSpec{Names: s.Names[i : i+1], Type: s.Type}
	if tok == token.CONST && i < len(s.Values) {
		one.Values = s.Values[i : i+1]
	}
	return one
}

func documented(own, behind *ast.CommentGroup, d *ast.GenDecl) string {
	for _, c := range []*ast.CommentGroup{own, behind, d.Doc} {
		if text := c.Text(); text != "" {
			return text
		}
	}
	return ""
}

// requireFieldDocs wants a comment on every exported field.
func requireFieldDocs(t *testing.T, s *ast.TypeSpec) {
	t.Helper()
	st, ok := s.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range st.Fields.List {
		for _, id := range f.Names {
			if id.IsExported() && f.Doc.Text() == "" && f.Comment.Text() == "" {
				t.Errorf("%s.%s has no comment", s.Name, id)
			}
		}
	}
}

// withoutUnexported drops comments, and the fields that only the package sees.
func withoutUnexported(s *ast.TypeSpec) {
	s.Doc, s.Comment = nil, nil
	st, ok := s.Type.(*ast.StructType)
	if !ok {
		return
	}
	st.Fields.List = slices.DeleteFunc(st.Fields.List, func(f *ast.Field) bool {
		f.Doc, f.Comment = nil, nil
		return !slices.ContainsFunc(f.Names, (*ast.Ident).IsExported)
	})
}

func printed(t *testing.T, node any) string {
	t.Helper()
	var b bytes.Buffer
	if err := format.Node(&b, token.NewFileSet(), node); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestAPI holds what programs of others call against testdata/api: it changes
// on purpose only. Every name, methods included, has a doc comment.
func TestAPI(t *testing.T) {
	for _, path := range apiPackages {
		api := exportedAPI(t, path)
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(api)) {
			if api[name].doc == "" {
				t.Errorf("%s: %s has no doc comment", path, name)
			}
			b.WriteString(api[name].text + "\n")
		}
		golden := filepath.Join("testdata", "api", strings.ReplaceAll(path, "/", "_")+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s exports\n%s\nwant, by %s,\n%s\nif that is on purpose: go test ./cmd/mambac -run TestAPI -update", path, &b, golden, want)
		}
	}
}

// TestAPIForwards wants everything of runtime/model in a generated package:
// the same signature, and a comment that begins with the same sentence.
func TestAPIForwards(t *testing.T) {
	from, to := exportedAPI(t, "runtime/model"), exportedAPI(t, "generated/tiny")
	for name, want := range from {
		have, ok := to[name]
		switch {
		case strings.Contains(name, ".") || notForwarded[name] != "":
		case !ok:
			t.Errorf("%s is not in generated packages: add it to codegen/gosrc/api.go", name)
		case strings.HasPrefix(want.text, "func ") && have.text != want.text:
			t.Errorf("%s is %q in generated packages, want %q", name, have.text, want.text)
		case synopsis(have) != synopsis(want):
			t.Errorf("%s: a generated package says\n%s\nwant\n%s", name, synopsis(have), synopsis(want))
		}
	}
	for name := range notForwarded {
		if _, ok := from[name]; !ok {
			t.Errorf("runtime/model exports no %s: take it off the list", name)
		}
	}
}

func synopsis(d declared) string { return new(doc.Package).Synopsis(d.doc) }
