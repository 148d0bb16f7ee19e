package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is the path of all that is ours.
const module = "github.com/mambac/mambac"

// layers says what the packages of each folder may import of ours; a pattern
// ends in /... for a whole folder. The first line whose from matches holds.
var layers = []struct {
	from string
	may  []string
	why  string
}{
	{"ir/tensor", nil, "element types know nothing"},
	{"ir/storage", []string{"ir/tensor"}, "formats know values, not what they are for"},
	{"ir", []string{"ir/tensor", "ir/storage"}, "the module knows neither its ops nor a CPU"},
	{"ir/pass", []string{"ir", "ir/op", "ir/build", "ir/tensor", "ir/storage"}, "a pass rewrites and never evaluates"},
	{"ir/...", []string{"ir/..."}, "ir never learns a CPU or a checkpoint"},
	{"importer/block", []string{"ir/..."}, "blocks are made of parameters, wherever they come from"},
	{"importer/...", []string{"importer/...", "ir/...", "runtime/safetensors", "runtime/tokenizer", "runtime/regex", "runtime/payload"}, "formats on disk are defined once, in runtime"},
	{"codegen/...", []string{"codegen/...", "ir/...", "runtime/safetensors", "runtime/tokenizer", "runtime/payload"}, "codegen never learns a checkpoint"},
	{"runtime", nil, "it embeds what is below it and calls none of it"},
	{"runtime/...", []string{"runtime/..."}, "built programs hold nothing but runtime"},
	{"generated/...", []string{"runtime/..."}, "generated packages are what built programs are"},
	{"cmd/...", []string{"cmd/...", "importer/...", "ir/...", "codegen/...", "runtime", "runtime/..."}, "the command sees everything but what it generates"},
}

// exceptions are single imports that the layers forbid.
var exceptions = []struct{ from, imports, why string }{
	{"generated", "generated/tiny", "a test uses it as a program would"},
}

// testOnly lists the packages that only tests import; they are tests
// themselves.
var testOnly = []string{"codegen/amd64/interp", "codegen/ladder", "codegen/leveltest", "importer/gguf/gguftest", "ir/irtest", "runtime/disktest", "runtime/enginetest", "runtime/kerneltest", "runtime/modeltest"}

// inTests is what tests may import besides what their package may.
var inTests = append([]string{"ir/op", "ir/text", "ir/eval", "runtime/cpu"}, testOnly...)

// foreign says which packages of others are imported where.
var foreign = []struct{ imports, from, why string }{
	{"github.com/spf13/cobra", "cmd/mambac", "built programs must stay small"},
	{"github.com/spf13/pflag", "cmd/mambac", "comes with it"},
	{"github.com/vbauerster/mpb/v8/...", "cmd/mambac", "progress is the command's"},
	{"github.com/google/go-containerregistry/pkg/v1/...", "cmd/mambac", "images are the command's"},
	{"github.com/CycloneDX/cyclonedx-go", "cmd/mambac", "lists of what programs consist of"},
	{"golang.org/x/term", "cmd/mambac", "only the command asks for a terminal"},
	{"golang.org/x/sys/unix", "cmd/mambac", "too large for built programs"},
	{"github.com/nlpodyssey/gopickle/pickle", "importer/checkpoint", "its pytorch package trusts lengths in the file"},
	{"github.com/nlpodyssey/gopickle/types", "importer/checkpoint", "comes with it"},
	{"github.com/mmcloughlin/avo/...", "codegen/amd64/...", "assembly is emitted there"},
	{"github.com/dave/jennifer/jen", "codegen/gosrc", "Go source is emitted there"},
	{"github.com/dave/jennifer/jen", "codegen/template", "Go source is emitted there, too"},
	{"github.com/nikolalohinski/gonja/v2/...", "codegen/template", "programs hold what it reads as Go, and no interpreter"},
	{"golang.org/x/sys/cpu", "runtime/cpu", "features of the processor"},
	{"golang.org/x/text/unicode/norm", "runtime/tokenizer", "forms of Unicode"},
	{"golang.org/x/text/width", "runtime/terminal", "columns that characters take"},
	{"github.com/dlclark/regexp2", "runtime/regex", "expressions that look ahead, of some tokenizers"},
	{"github.com/rogpeppe/go-internal/...", "ir/irtest", "tests"},
	{"pgregory.net/rapid", "", "tests"},
	{"golang.org/x/arch/...", "", "tests disassemble"},
	{"github.com/tetratelabs/wazero/...", "", "tests run wasm"},
}

// creators are the files that may create files.
var creators = map[string]string{
	"cmd/mambac/write.go":              "the one place that writes for the user of mambac",
	"codegen/gobuild/gobuild.go":       "the temporary module that the go command compiles",
	"runtime/atomicfile/atomicfile.go": "what a built program is asked to write, whole or not at all",
	"runtime/atomicfile/hold_lock.go":  "the same, where files can be locked",
	"runtime/library/library.go":       "it opens states, and follows no links",
	"runtime/private/private.go":       "folders for what tells of texts that were read",
	"runtime/app/chat/history.go":      "what was typed, a line at a time",
	"runtime/prefix/spill.go":          "states that memory has no room for",
}

// packageInfo is what go list tells of a package.
type packageInfo struct {
	ImportPath, Dir, Name, Doc         string
	Imports, TestImports, XTestImports []string
	GoFiles, IgnoredGoFiles            []string
	Module                             *struct{ Path string }
}

// house lists our packages, once.
var house = sync.OnceValues(func() ([]packageInfo, error) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Doc,Imports,TestImports,XTestImports,GoFiles,IgnoredGoFiles", module+"/...").Output()
	if err != nil {
		return nil, err
	}
	var list []packageInfo
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p packageInfo
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
})

func packages(t *testing.T) []packageInfo {
	t.Helper()
	list, err := house()
	if err != nil || len(list) == 0 {
		t.Fatal(err)
	}
	return list
}

// matches reports whether a path is the pattern or, if that ends in /..., lies
// in its folder.
func matches(path, pattern string) bool {
	folder, whole := strings.CutSuffix(pattern, "/...")
	return path == folder || whole && strings.HasPrefix(path, folder+"/")
}

func matchesAny(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(path, p) })
}

// own is an import path of ours without the module; false for those of others.
func own(path string) (string, bool) {
	return strings.CutPrefix(path, module+"/")
}

func TestHouseImports(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := own(p.ImportPath)
		for _, path := range p.Imports {
			if to, ok := own(path); ok {
				checkArrow(t, from, to, false)
			} else {
				checkForeign(t, from, path, false)
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if to, ok := own(path); ok {
				checkArrow(t, from, to, true)
			} else {
				checkForeign(t, from, path, true)
			}
		}
	}
}

func checkArrow(t *testing.T, from, to string, test bool) {
	t.Helper()
	test = test || slices.Contains(testOnly, from)
	if from == to || test && slices.Contains(inTests, to) {
		return
	}
	if !test && slices.Contains(testOnly, to) {
		t.Errorf("%s imports %s, which is for tests", from, to)
	}
	for _, e := range exceptions {
		if e.from == from && e.imports == to {
			return
		}
	}
	for _, l := range layers {
		if matches(from, l.from) {
			if !matchesAny(to, l.may) {
				t.Errorf("%s imports %s: %s", from, to, l.why)
			}
			return
		}
	}
	t.Errorf("%s is in no layer", from)
}

func checkForeign(t *testing.T, from, path string, test bool) {
	t.Helper()
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return // standard library
	}
	for _, f := range foreign {
		if matches(path, f.imports) && (test || slices.Contains(testOnly, from) || matches(from, f.from)) {
			return
		}
	}
	t.Errorf("%s imports %s, which is not listed for it", from, path)
}

func TestHousePackageDocs(t *testing.T) {
	for _, p := range packages(t) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + filepath.Base(p.Dir) + " "
		}
		if !strings.HasPrefix(p.Doc, want) && len(p.GoFiles) > 0 {
			t.Errorf("%s: package doc %q does not begin with %q", p.ImportPath, p.Doc, want)
		}
	}
}

// TestHouseArchitecture keeps the tour complete.
func TestHouseArchitecture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages(t) {
		if path := strings.TrimPrefix(p.ImportPath, module+"/"); !strings.Contains(string(text), "\n| `"+path+"` | ") {
			t.Errorf("ARCHITECTURE.md does not list %s", path)
		}
	}
}

// manyNames are the packages that may export more than others.
var manyNames = map[string]string{
	"codegen/kernel":     "one type per kind",
	"ir/op":              "one type per op",
	"runtime/kerneltest": "one type per kind",
	"runtime/model":      "all that generated packages offer",
	"runtime/tokenizer":  "one type per step",
	"generated/tiny":     "an API is generated",
}

func TestHouseExportedNames(t *testing.T) {
	const limit = 25
	for _, p := range packages(t) {
		names := map[string]bool{}
		eachFile(t, p, func(_ string, f *ast.File) {
			for name := range exportedNames(f) {
				names[name] = true
			}
		})
		path, _ := own(p.ImportPath)
		if len(names) > limit && manyNames[path] == "" {
			t.Errorf("%s exports %d names, want at most %d", p.ImportPath, len(names), limit)
		}
	}
}

// TestHouseLengths holds the numbers of the house against hand-written code:
// length is a symptom, and outliers are few.
func TestHouseLengths(t *testing.T) {
	var functions, files []int
	for _, p := range packages(t) {
		eachFile(t, p, func(_ string, f *ast.File) {
			if ast.IsGenerated(f) {
				return
			}
			files = append(files, lineCount(f.FileStart, f.FileEnd))
			for _, d := range f.Decls {
				if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil {
					functions = append(functions, lineCount(d.Body.Lbrace, d.Body.Rbrace))
				}
			}
		})
	}
	slices.Sort(functions)
	slices.Sort(files)
	t.Logf("functions: median %d, p90 %d; files: p90 %d lines", functions[len(functions)/2], functions[len(functions)*9/10], files[len(files)*9/10])
	for _, c := range []struct {
		what        string
		have, limit int
	}{
		{"median function", functions[len(functions)/2], 10},
		{"nine functions of ten", functions[len(functions)*9/10], 40},
		{"nine files of ten", files[len(files)*9/10], 450},
	} {
		if c.have > c.limit {
			t.Errorf("%s: %d lines, want at most %d", c.what, c.have, c.limit)
		}
	}
}

// exportedNames yields the package-level exported names of a file, constants
// apart: those are the values of types that count themselves.
func exportedNames(f *ast.File) map[string]bool {
	names := map[string]bool{}
	add := func(id *ast.Ident) {
		if id.IsExported() {
			names[id.Name] = true
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name)
			}
		case *ast.GenDecl:
			if d.Tok == token.CONST {
				continue
			}
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					add(s.Name)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						add(id)
					}
				}
			}
		}
	}
	return names
}

// positions is of all files that eachFile has parsed.
var positions = token.NewFileSet()

func lineCount(from, to token.Pos) int {
	return positions.Position(to).Line - positions.Position(from).Line + 1
}

// eachFile parses every file of a package that is no test, whatever system it
// is for.
func eachFile(t *testing.T, p packageInfo, visit func(name string, f *ast.File)) {
	t.Helper()
	for _, name := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(positions, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		visit(name, f)
	}
}

// creating are the functions of os that bring files about.
var creating = []string{"Create", "CreateTemp", "OpenFile", "WriteFile", "Mkdir", "MkdirAll", "MkdirTemp", "Rename", "Link", "Symlink", "CopyFS", "Truncate"}

func TestHouseWhoCreatesFiles(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		from, _ := own(p.ImportPath)
		if slices.Contains(testOnly, from) {
			continue
		}
		eachFile(t, p, func(name string, f *ast.File) {
			path := from + "/" + name
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if id, ok := s.X.(*ast.Ident); ok && id.Name == "os" && slices.Contains(creating, s.Sel.Name) {
					if seen[path] = true; creators[path] == "" {
						t.Errorf("%s calls os.%s; files are created in %v", path, s.Sel.Name, keys(creators))
					}
				}
				return true
			})
		})
	}
	for path := range creators {
		if !seen[path] {
			t.Errorf("%s creates no files: take it off the list", path)
		}
	}
}

func keys(m map[string]string) string { return fmt.Sprint(slices.Sorted(maps.Keys(m))) }
