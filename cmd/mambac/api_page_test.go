package main

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// TestPageOfErrors: docs/api.md tells of every code that a server's errors have, and of
// every field of a request that OpenAI does not have.
func TestPageOfErrors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	codes, fields := 0, 0
	require := func(what, name string) {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/api.md does not tell of the %s %s", what, name)
		}
	}
	for _, p := range packages(t) {
		if p.ImportPath != module+"/runtime/serve" {
			continue
		}
		eachFile(t, p, func(_ string, f *ast.File) {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if code := failureCode(t, n); code != "" {
						codes++
						require("code", code)
					}
				case *ast.TypeSpec:
					for _, name := range ownFields(n) {
						fields++
						require("field", name)
					}
				}
				return true
			})
		})
	}
	if codes < 10 || fields < 7 {
		t.Errorf("%d codes and %d fields are too few", codes, fields)
	}
}

// failureCode is the code of a call of failf, or "".
func failureCode(t *testing.T, c *ast.CallExpr) string {
	name, ok := c.Fun.(*ast.Ident)
	if !ok || name.Name != "failf" {
		return ""
	}
	l, ok := c.Args[1].(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		t.Errorf("a call of failf has no code that can be read")
		return ""
	}
	code, err := strconv.Unquote(l.Value)
	if err != nil {
		t.Error(err)
	}
	return code
}

// ownFields is the names in JSON of those fields of params that OpenAI does not have.
func ownFields(s *ast.TypeSpec) (names []string) {
	of, ok := s.Type.(*ast.StructType)
	if !ok || s.Name.Name != "params" {
		return nil
	}
	own := false
	for _, f := range of.Fields.List {
		own = own || strings.Contains(f.Doc.Text(), "OpenAI does not have")
		if own && f.Tag != nil {
			names = append(names, reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"))
		}
	}
	return names
}
