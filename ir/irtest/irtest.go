// Package irtest runs tests that are written as modules in text, and makes
// random modules; only tests import it. It sees everything below ir.
//
// A test is a txtar archive that begins with the file "module" and holds any
// of these beside it:
//
//	print        the module as Format prints it
//	error        what the parser or the verifier says; excludes the others
//	after PASS   the module after that pass alone
//	run          a line "ID: logits" for each token of one sequence
//
// For a run, parameters are filled by Fill, and the module must give the same
// logits after all passes.
package irtest

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/text"
)

// Run runs every archive that the pattern finds, of which there must be one;
// with update it rewrites what differs.
func Run(t *testing.T, pattern string, update bool) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) { runFile(t, path, update) })
	}
}

// Case is the run of an archive.
type Case struct {
	Name   string
	Module *ir.Module // filled
	IDs    []int
}

// Runs lists the archives that the pattern finds and that hold a run.
func Runs(t *testing.T, pattern string) []Case {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	var cases []Case
	for _, path := range files {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "run" })
		if i < 0 {
			continue
		}
		m, err := parse(string(a.Files[0].Data))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		Fill(m)
		ids, _ := parseRun(t, string(a.Files[i].Data))
		cases = append(cases, Case{strings.TrimSuffix(filepath.ToSlash(path), ".txtar"), m, ids})
	}
	return cases
}

func runFile(t *testing.T, path string, update bool) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Files) < 2 || a.Files[0].Name != "module" {
		t.Fatalf("%s: want a file named module and something to check", path)
	}
	m, err := parse(string(a.Files[0].Data))
	changed := false
	for i := range a.Files[1:] {
		f := &a.Files[1+i]
		got := check(t, f, m, err)
		if got != string(f.Data) && !sameRun(f, got) {
			if !update {
				t.Errorf("%s: %s: have\n%swant\n%s", path, f.Name, got, f.Data)
			}
			f.Data, changed = []byte(got), true
		}
	}
	if update && changed {
		if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// parse is text.Parse and ir.Verify.
func parse(s string) (*ir.Module, error) {
	m, err := text.Parse(s)
	if err != nil {
		return nil, err
	}
	return m, ir.Verify(m)
}

// check computes what a file of the archive ought to hold.
func check(t *testing.T, f *txtar.File, m *ir.Module, err error) string {
	if f.Name == "error" {
		return fmt.Sprintln(err)
	}
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	switch name, pass, _ := strings.Cut(f.Name, " "); name {
	case "print":
		roundtrip(t, m)
		return text.Format(m)
	case "after":
		return text.Format(alone(t, m, pass))
	case "run":
		return run(t, m, string(f.Data))
	}
	t.Fatalf("unknown file %q", f.Name)
	return ""
}

// roundtrip proves that print → parse → print is the identity.
func roundtrip(t *testing.T, m *ir.Module) {
	t.Helper()
	printed := text.Format(m)
	again, err := parse(printed)
	if err != nil {
		t.Fatalf("%v in\n%s", err, printed)
	}
	if got := text.Format(again); got != printed {
		t.Errorf("prints\n%sthen\n%s", printed, got)
	}
}

// alone applies one pass, twice, as it must change nothing the second time.
func alone(t *testing.T, m *ir.Module, name string) *ir.Module {
	t.Helper()
	if !slices.Contains(pass.Names(), name) {
		t.Fatalf("unknown pass %q; the passes are %v", name, pass.Names())
	}
	var o pass.Options
	for _, other := range pass.Names() {
		if other != name {
			o.Disable = append(o.Disable, other)
		}
	}
	once, err := pass.Run(m, o)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := pass.Run(once, o)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := text.Format(once), text.Format(twice); a != b {
		t.Errorf("pass %s is not idempotent: once\n%stwice\n%s", name, a, b)
	}
	return once
}

// run evaluates the ids that lines begin with, as imported and after all
// passes.
func run(t *testing.T, m *ir.Module, lines string) string {
	ids, _ := parseRun(t, lines)
	Fill(m)
	plain := Logits(t, m, ids)
	passed, err := pass.Run(m, pass.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e := RelativeError(Logits(t, passed, ids), plain); e > 1e-6 {
		t.Errorf("the passes change the logits by %g", e)
	}
	width := m.Output.Type.Width
	var b strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&b, "%d:", id)
		for _, v := range plain[i*width : (i+1)*width] {
			fmt.Fprintf(&b, " %.6g", v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// parseRun reads lines of an id, a colon and logits.
func parseRun(t *testing.T, lines string) (ids []int, logits []float32) {
	for line := range strings.Lines(lines) {
		id, row, ok := strings.Cut(strings.TrimSpace(line), ":")
		n, err := strconv.Atoi(id)
		if !ok || err != nil {
			t.Fatalf("run: %q does not begin with an id and a colon", line)
		}
		ids = append(ids, n)
		for word := range strings.FieldsSeq(row) {
			v, err := strconv.ParseFloat(word, 32)
			if err != nil {
				t.Fatalf("run: %v", err)
			}
			logits = append(logits, float32(v))
		}
	}
	return ids, logits
}

// sameRun allows for exp of other platforms in the last printed digit.
func sameRun(f *txtar.File, got string) bool {
	if f.Name != "run" {
		return false
	}
	numbers := func(s string) []float32 {
		var list []float32
		for word := range strings.FieldsSeq(s) {
			v, err := strconv.ParseFloat(strings.TrimSuffix(word, ":"), 32)
			if err != nil {
				return nil
			}
			list = append(list, float32(v))
		}
		return list
	}
	a, b := numbers(got), numbers(string(f.Data))
	for i := range a {
		if len(a) != len(b) || math.Abs(float64(a[i]-b[i])) > 1e-5*(1+math.Abs(float64(b[i]))) {
			return false
		}
	}
	return len(a) > 0
}
