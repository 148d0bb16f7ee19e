package codegen

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/pass"
)

// hostileNames are what a file could use to reach into generated code.
var hostileNames = []string{
	"*/ func evil() {} /*", "x\nfunc evil() {}\n", "\"; evil()", "`+evil()+`", "func", "type.weight", "bind", "token", "kernels",
	"decodeLayer", "", ".", "..", "0", "9lives", "été", "\u2028func evil() {}", "a b", "//go:build evil", strings.Repeat("x", 300),
}

// rename gives every name of a module the hostile one and a number.
func rename(m *ir.Module, name string) {
	n := 0
	next := func() string {
		n++
		return fmt.Sprintf("%s%d%s", name, n, name)
	}
	m.Name = name
	for _, p := range m.Params {
		p.Name = next()
	}
	for _, s := range m.States {
		s.Name = next()
	}
	for _, r := range m.Regions {
		r.Name = next()
		for _, v := range r.Body {
			v.Name = next()
		}
	}
}

func compileAll(m *ir.Module, command string) (*Output, error) {
	return Compile(m, Options{Package: "model", Command: command, Doc: "Package model is compiled.",
		Levels: everywhere(), Keep: KeepBetter, Tests: true})
}

// everywhere is the levels of every architecture that has some.
func everywhere() []string {
	return append(Levels("amd64"), Levels("arm64")[1:]...)
}

// requireHarmless proves that the files parse and that nothing of the name
// became code: no function of that name, no build constraint, no line of
// assembly that the honest module does not have.
func requireHarmless(t *testing.T, name string, honest, got map[string][]byte) {
	t.Helper()
	for file, text := range got {
		if strings.HasSuffix(file, ".s") {
			if a, b := bytes.Count(honest[file], []byte("\n")), bytes.Count(text, []byte("\n")); a != b {
				t.Errorf("name %q: %s has %d lines, the honest one %d", name, file, b, a)
			}
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
		if err != nil {
			t.Errorf("name %q: %v", name, err)
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if fn, ok := n.(*ast.FuncDecl); ok && fn.Name.Name == "evil" {
				t.Errorf("name %q: %s declares evil", name, file)
			}
			return true
		})
	}
}

func TestHostileNames(t *testing.T) {
	honest, err := compileAll(irtest.Random(1), "mambac")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range hostileNames {
		m := irtest.Random(1)
		rename(m, name)
		out, err := compileAll(m, name)
		if err != nil {
			t.Errorf("name %q: %v", name, err)
			continue
		}
		requireHarmless(t, name, honest.Files, out.Files)
	}
}

func FuzzHostileNames(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name)
	}
	levels := []string{"generic"}
	honest, err := Compile(irtest.Random(1), Options{Package: "model", Command: "mambac", Levels: levels})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m := irtest.Random(1)
		rename(m, name)
		out, err := Compile(m, Options{Package: "model", Command: name, Levels: levels})
		if err != nil {
			t.Fatal(err)
		}
		requireHarmless(t, name, honest.Files, out.Files)
	})
}

// TestDeterministic emits the same module twice.
func TestDeterministic(t *testing.T) {
	a, err := compileAll(irtest.Random(2), "mambac")
	if err != nil {
		t.Fatal(err)
	}
	b, err := compileAll(irtest.Random(2), "mambac")
	if err != nil {
		t.Fatal(err)
	}
	for file := range a.Files {
		if !bytes.Equal(a.Files[file], b.Files[file]) {
			t.Errorf("%s differs from one emission to the next", file)
		}
	}
	if a.Fingerprint != b.Fingerprint || len(a.Files) != len(b.Files) {
		t.Error("two emissions have other files or another fingerprint")
	}
}

// TestKeep: levels that have nothing better for a program are left out of it,
// unless they are asked for by name.
func TestKeep(t *testing.T) {
	sizes := irtest.Sizes{Layers: 1, Vocab: 60, Hidden: 130, Inner: 140, States: 3, Taps: 3, Rank: 5}
	for _, c := range []struct {
		storage      string
		math         lower.Math
		better, best string
	}{
		{"f32", lower.Auto, "generic v3 v4", "v4"},
		{"bf16", lower.Auto, "generic v3 v4", "v4"},
		{"bf16", lower.Fast, "generic v3 v4 v4b", "v4b"},
		{"int8", lower.Auto, "generic v3 v4 v4n", "v4n"},
		{"int8", lower.Exact, "generic v3 v4", "v4"},
		{"int4", lower.Auto, "generic v3 v4 v4n", "v4n"},
	} {
		m, err := pass.Run(irtest.Disturbed(1, sizes), pass.Options{Storage: c.storage})
		if err != nil {
			t.Fatal(err)
		}
		for keep, want := range map[Keep]string{KeepAll: "generic v3 v4 v4n v4b", KeepBetter: c.better, KeepBest: c.best} {
			out, err := Compile(m, Options{Package: "model", Levels: Levels("amd64"), Keep: keep, Math: c.math})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(out.Levels, " "); got != want {
				t.Errorf("%s, %s, keep %d: levels %s, want %s", c.storage, c.math, keep, got, want)
			}
		}
	}
}

func TestUnknownLevel(t *testing.T) {
	_, err := Compile(irtest.Random(1), Options{Package: "model", Levels: []string{"v9"}})
	if err == nil || !strings.Contains(err.Error(), "generic, v3, v4") {
		t.Errorf("have %v, want an error that lists the levels", err)
	}
}
