package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// downstream is a module that somebody else has.
type downstream struct {
	folder string
	env    []string
}

// goEnv keeps the go command from the network, and from cgo but for the race
// detector.
var goEnv = []string{"GOPROXY=off", "GOWORK=off", "GOFLAGS=", "GOTOOLCHAIN=local", "CGO_ENABLED=0"}

// run runs a command in a folder of the module.
func (d *downstream) run(t *testing.T, folder, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = filepath.Join(d.folder, folder)
	cmd.Env = append(os.Environ(), d.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %s: %v\n%s", strings.Join(d.env[len(goEnv):], " "), strings.Join(cmd.Args, " "), err, out)
	}
}

// with is the module with other variables for the commands that run in it.
func (d *downstream) with(env ...string) *downstream {
	return &downstream{d.folder, append(d.env[:len(d.env):len(d.env)], env...)}
}

// root is the folder of this repository.
func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// newDownstream makes the module of testdata/downstream as its author would:
// mambac is a tool of it, whose source is this repository.
func newDownstream(t *testing.T) *downstream {
	t.Helper()
	d := &downstream{t.TempDir(), goEnv}
	for from, to := range map[string]string{
		filepath.Join("testdata", "downstream"): "",
		bundled:                                 filepath.Join("checkpoints", "go-mamba-5m"),
		filepath.Join(root(t), "importer", "testdata", "golden", "mamba-safetensors"): filepath.Join("checkpoints", "small"),
	} {
		if err := os.CopyFS(filepath.Join(d.folder, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	d.require(t, "example.com/program", root(t))
	return d
}

// require writes go.mod and go.sum, with mambac as a tool whose source lies at
// path.
func (d *downstream) require(t *testing.T, name, path string) {
	t.Helper()
	sums, err := os.ReadFile(filepath.Join(root(t), "go.sum")) // there is no server to ask for them
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("module %s\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %[2]s => %[3]q\n", name, module, path)
	for name, data := range map[string][]byte{"go.mod": []byte(text), "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(d.folder, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	d.run(t, "", "go", "get", "-tool", module+"/cmd/mambac")
}

// TestDownstream is a Go program of somebody else with two models inside:
// go generate, go vet, go test, as for any other code.
func TestDownstream(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles mambac, and a program for several systems")
	}
	watch(t, filepath.Join(root(t), "runtime", "modeltest"))
	watch(t, filepath.Join(root(t), "runtime", "kerneltest"))
	d := newDownstream(t)
	d.run(t, "", "go", "generate", "./...")
	d.run(t, "", "go", "vet", "./...")
	d.run(t, "", staticcheck(t), "./...")
	d.run(t, "", "go", "test", "./...")
	d.run(t, "", "go", "vet", "-tags", "purego", "./...")
	d.run(t, "", "go", "test", "-short", "-tags", "purego", "./...")
	for _, system := range [][]string{{"GOOS=windows", "GOARCH=amd64"}, {"GOOS=linux", "GOARCH=arm64"}} {
		d.with(system...).run(t, "", "go", "vet", "./...")
		d.with(system...).run(t, "", "go", "build", "-o", t.TempDir(), ".")
	}
	before := d.files(t)
	d.run(t, "app", "go", "generate")
	compareFiles(t, d.files(t), before)
	race(t, d, "./small")
}

// race runs the tests of a package under the race detector, where it can be
// had.
func race(t *testing.T, d *downstream, pattern string) {
	t.Helper()
	cc := strings.TrimSpace(succeed(t, exec.Command("go", "env", "CC")))
	if _, err := exec.LookPath(cc); err != nil {
		t.Logf("nothing is run under the race detector: %v", err)
		return
	}
	d.with("CGO_ENABLED=1").run(t, "", "go", "test", "-race", pattern)
}

// staticcheck is the program that go.mod names.
func staticcheck(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(succeed(t, exec.Command("go", "tool", "-n", "staticcheck")))
}

// files describes every file of the module: what it holds would be enough, but
// build caches and editors also go by when it has changed.
func (d *downstream) files(t *testing.T) map[string]string {
	t.Helper()
	list := map[string]string{}
	err := filepath.WalkDir(d.folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		list[path] = fmt.Sprintf("%v %x", st.ModTime(), sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func compareFiles(t *testing.T, have, want map[string]string) {
	t.Helper()
	for path, w := range want {
		if have[path] != w {
			t.Errorf("%s is %q, was %q", path, have[path], w)
		}
	}
	for path := range have {
		if want[path] == "" {
			t.Errorf("%s has come", path)
		}
	}
}
