package gobuild

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func hello(output string) Options {
	return Options{
		Files:        map[string][]byte{"main.go": []byte("package main\n\nimport \"example.org/word\"\n\nfunc main() { print(word.Text) }\n")},
		Requirements: []string{"example.org/word v1.0.0"},
		Vendor: map[string][]byte{
			"modules.txt":              []byte("# example.org/word v1.0.0\n## explicit; go 1.26\nexample.org/word\n"),
			"example.org/word/word.go": []byte("package word\n\nvar Text = \"hello\"\n"),
		},
		Output: output,
	}
}

// TestBuildIsReproducible builds twice, in folders of different names, and
// compares the bytes and what the program prints.
func TestBuildIsReproducible(t *testing.T) {
	dir := t.TempDir()
	var builds [][]byte
	for _, name := range []string{"a", "b"} {
		out := filepath.Join(dir, name)
		if err := Build(context.Background(), hello(out)); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		builds = append(builds, data)
	}
	if !slices.Equal(builds[0], builds[1]) {
		t.Error("two builds differ")
	}
	out, err := exec.Command(filepath.Join(dir, "a")).CombinedOutput()
	if err != nil || string(out) != "hello" {
		t.Errorf("the program prints %q, %v", out, err)
	}
}

// TestVariable has the linker set a variable of a vendored package.
func TestVariable(t *testing.T) {
	o := hello(filepath.Join(t.TempDir(), "a"))
	o.Variable, o.Value = "example.org/word.Text", "other"
	if err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(o.Output).CombinedOutput(); err != nil || string(out) != o.Value {
		t.Errorf("the program prints %q, %v", out, err)
	}
}

// TestWarm compiles a vendored package and nothing else, and reports one that
// is not there.
func TestWarm(t *testing.T) {
	o := hello("")
	o.Files = nil
	if err := Warm(context.Background(), o, "example.org/word"); err != nil {
		t.Error(err)
	}
	if err := Warm(context.Background(), o, "example.org/nothing"); err == nil {
		t.Error("a package that is not vendored is no error")
	}
}

// TestNothingIsLeftBehind looks into an own folder for temporary files after
// a build that fails and one that is cancelled.
func TestNothingIsLeftBehind(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	broken := hello(filepath.Join(t.TempDir(), "x"))
	broken.Files["main.go"] = []byte("package main\n\nfunc main() { nothing() }\n")
	err := Build(context.Background(), broken)
	if err == nil || !strings.Contains(err.Error(), "undefined: nothing") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a broken file gives %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Build(ctx, hello(filepath.Join(t.TempDir(), "x"))); err == nil {
		t.Error("a cancelled build succeeds")
	}
	left, err := filepath.Glob(filepath.Join(tmp, "mambac-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestToolchainIsQuoted: a go command that does not work says why.
func TestToolchainIsQuoted(t *testing.T) {
	t.Setenv("GOROOT", filepath.Join(t.TempDir(), "absent"))
	err := Build(context.Background(), hello(filepath.Join(t.TempDir(), "a")))
	if err == nil || !strings.Contains(err.Error(), "cannot find GOROOT") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{"go1.26": true, "go1.26.8": true, "go1.30rc1": true, "go2.0": true,
		"devel go1.27-abc": true, "go1.25.9": false, "": false} {
		if newEnough(version) != want {
			t.Errorf("newEnough(%q) = %v", version, !want)
		}
	}
}

func TestEnvironmentIsClosed(t *testing.T) {
	env := environment([]string{"GOPROXY=somewhere", "GOFLAGS=-x", "HOME=/h"}, "plan9", "arm")
	for _, want := range []string{"GOPROXY=off", "GOFLAGS=-mod=vendor", "GOOS=plan9", "GOARCH=arm", "HOME=/h"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is missing in %v", want, env)
		}
	}
	if slices.Contains(env, "GOPROXY=somewhere") {
		t.Error("the caller's GOPROXY is kept")
	}
}
