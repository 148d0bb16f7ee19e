package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/importer/convert"
	"github.com/mambac/mambac/importer/family"
	"github.com/mambac/mambac/importer/synth"
	importtokenizer "github.com/mambac/mambac/importer/tokenizer"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/pass"
)

// registered prints what every registry holds, one line each.
func registered() string {
	var b strings.Builder
	for _, r := range []struct {
		name  string
		holds []string
	}{
		{"family", family.Names()},
		{"op", op.Names()},
		{"pass", pass.Names()},
		{"lowering", lower.Ops()},
		{"kind", kernel.Kinds()},
		{"level", codegen.Levels("amd64")},
		{"level-arm64", codegen.Levels("arm64")},
		{"synth-family", synth.Families()},
		{"conversion", convert.Ways()},
		{"container", container.Names()},
		{"tokenizer", importtokenizer.Steps()},
		{"feature", features},
		{"command", commandNames(newRoot(&console{}))},
	} {
		for _, name := range r.holds {
			b.WriteString(r.name + " " + name + "\n")
		}
	}
	return b.String()
}

// TestHouseRegistry shows every newcomer to review as a line of registry.txt.
func TestHouseRegistry(t *testing.T) {
	path := filepath.Join("testdata", "registry.txt")
	got := registered()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("registries hold\n%s\nregistry.txt says\n%s\nif that is meant: go test ./cmd/mambac -run Registry -update", got, want)
	}
}

// TestHouseEverythingHasItsPart loops over registries that must agree.
func TestHouseEverythingHasItsPart(t *testing.T) {
	for _, name := range family.Names() {
		if !slices.Contains(synth.Families(), name) {
			t.Errorf("family %s has no synth checkpoints", name)
		}
	}
}
