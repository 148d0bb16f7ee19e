package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages are documents whose Go is that of testdata/downstream, which
// TestDownstream compiles and runs.
var pages = []string{"README.md", filepath.Join("docs", "api.md")}

// goBlock is a block of Go, and the comment before it that says where the code
// is from: a file, or a function in one.
var goBlock = regexp.MustCompile("(?s)(?:<!-- (\\S+)(?: (\\w+))? -->\n)?```go\n(.*?)```\n")

// TestPages compares the code in documents with what it is said to be.
func TestPages(t *testing.T) {
	for _, page := range pages {
		path := filepath.Join(root(t), page)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fresh := goBlock.ReplaceAllStringFunc(string(text), func(block string) string {
			m := goBlock.FindStringSubmatch(block)
			if m[1] == "" {
				t.Errorf("%s: code from nowhere, want a comment with file and function before it:\n%s", page, block)
				return block
			}
			head, _, _ := strings.Cut(block, "```go\n")
			return head + "```go\n" + code(t, m[1], m[2]) + "```\n"
		})
		if *update {
			if err := os.WriteFile(path, []byte(fresh), 0o666); err != nil {
				t.Fatal(err)
			}
		} else if fresh != string(text) {
			t.Errorf("%s has other code than testdata/downstream; run go test ./cmd/mambac -run TestPages -update", page)
		}
	}
}

// code is a file without its comment, or the body of a function in it without
// the output that is expected.
func code(t *testing.T, file, function string) string {
	t.Helper()
	path := filepath.Join("testdata", "downstream", filepath.FromSlash(file))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	at := func(p token.Pos) int { return set.Position(p).Offset }
	if function == "" {
		return string(text[at(f.Package):])
	}
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Name.Name == function {
			body, _, _ := strings.Cut(string(text[at(d.Body.Lbrace)+2:at(d.Body.Rbrace)]), "\t// Output:")
			return strings.ReplaceAll(strings.TrimPrefix(body, "\t"), "\n\t", "\n")
		}
	}
	t.Fatalf("%s has no function %s", path, function)
	return ""
}
