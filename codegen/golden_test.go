package codegen

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/text"
)

var update = flag.Bool("update", false, "rewrite what tests expect")

// moduleFile is the input of a golden case; everything beside it is expected.
const moduleFile = "module.ir"

// TestGolden compares whole packages with what lies in testdata/golden/CASE,
// both ways. The cases are few and small: they are there to be read, and so
// that a change in emitted code arrives for review.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "golden", "*", moduleFile))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			files := emitted(t, path)
			if *update {
				renew(t, dir, files)
			}
			compare(t, dir, files)
		})
	}
}

// emitted is the package made of a module in text.
func emitted(t *testing.T, path string) map[string][]byte {
	t.Helper()
	printed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := text.Parse(string(printed))
	if err == nil {
		err = ir.Verify(m)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	out, err := Compile(m, Options{
		Package: filepath.Base(filepath.Dir(path)), Command: "mambac (codegen.TestGolden)",
		Doc: "Package " + m.Name + " is expected output of codegen.", Levels: everywhere(), Keep: KeepBetter,
	})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out.Files
}

// renew deletes what is expected and writes it again.
func renew(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for _, name := range expected(t, dir) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// expected lists the files of a case.
func expected(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != moduleFile {
			names = append(names, e.Name())
		}
	}
	return names
}

func compare(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	names := expected(t, dir)
	for _, name := range names {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if have, ok := files[name]; !ok {
			t.Errorf("%s is expected and not emitted", name)
		} else if !bytes.Equal(have, want) {
			t.Errorf("%s differs from what is emitted; if that is meant, run go test ./codegen -update and read the change", name)
		}
	}
	if len(files) > len(names) {
		t.Errorf("%d files are emitted, %d expected", len(files), len(names))
	}
}
