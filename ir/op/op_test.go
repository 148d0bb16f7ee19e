package op_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/text"
)

var update = flag.Bool("update", false, "rewrite what tests expect")

// TestEveryOp runs the textual tests of each op: its text form, its meaning,
// and every way in which its arguments may be wrong.
func TestEveryOp(t *testing.T) {
	for _, name := range op.Names() {
		t.Run(name, func(t *testing.T) { irtest.Run(t, "testdata/"+name+"/*.txtar", *update) })
	}
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !slices.Contains(op.Names(), f.Name()) {
			t.Errorf("testdata/%s belongs to no op", f.Name())
		}
	}
}

// TestEveryCost: an op reads all of its parameters and states, but embed one
// row, experts those that are chosen; of caches, all for every token.
func TestEveryCost(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := text.Parse(string(a.Files[0].Data))
		if err != nil || ir.Verify(m) != nil {
			continue // a test of an error
		}
		for _, v := range m.Regions[0].Body {
			checkCost(t, path, v)
		}
	}
}

func checkCost(t *testing.T, path string, v *ir.Value) {
	t.Helper()
	var types []ir.Type
	for _, a := range v.Args {
		types = append(types, a.Type)
	}
	var want ir.Cost
	for _, p := range v.Params {
		if p != nil {
			want.ParamElements += p.Shape.Elements()
		}
	}
	looksBack := false
	for _, s := range v.States {
		if s.Kind == ir.Cache {
			looksBack = true
		} else {
			want.StateElements += s.Shape.Elements()
		}
	}
	free := false
	switch o := v.Op.(type) {
	case op.Embed:
		want.ParamElements, free = v.Type.Width, true
	case op.Experts:
		want.ParamElements = want.ParamElements / v.Args[1].Type.Width * o.Top
	case op.Slice, op.Concat, op.Attention:
		free = true
	}
	got := v.Op.Cost(types, v.Params, v.States)
	if got.ParamElements != want.ParamElements || got.StateElements != want.StateElements {
		t.Errorf("%s: %%%s: %s costs %+v, want %+v", path, v.Name, v.Op.OpName(), got, want)
	}
	if (got.CachedFlops > 0) != looksBack {
		t.Errorf("%s: %%%s: %s costs %+v: what has a cache computes with it, and nothing else does", path, v.Name, v.Op.OpName(), got)
	}
	if !free && got.Flops < v.Type.Width {
		t.Errorf("%s: %%%s: %s costs %d flops for %d elements", path, v.Name, v.Op.OpName(), got.Flops, v.Type.Width)
	}
}
