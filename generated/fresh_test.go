package generated

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "delete the generated packages and make them again")

// TestFresh makes every generated package again and compares both ways: no
// file differs, and none is there that nobody made.
func TestFresh(t *testing.T) {
	watch(t)
	mambac := filepath.Join(t.TempDir(), "mambac")
	run(t, "go", "build", "-o", mambac, "../cmd/mambac")
	configs, err := filepath.Glob("testdata/*.json")
	if err != nil || len(configs) == 0 {
		t.Fatalf("no configs: %v", err)
	}
	for _, config := range configs {
		name := filepath.Base(config[:len(config)-len(".json")])
		t.Run(name, func(t *testing.T) {
			checkpoint := filepath.Join(t.TempDir(), name)
			run(t, mambac, "synth", "--config", config, "--out", checkpoint, "-q")
			if *update {
				if err := os.RemoveAll(name); err != nil {
					t.Fatal(err)
				}
				generate(t, mambac, checkpoint, name, name)
			}
			fresh := filepath.Join(t.TempDir(), name)
			generate(t, mambac, checkpoint, name, fresh)
			compare(t, files(t, name), files(t, fresh))
		})
	}
}

// watch looks at every source file of the generator: the go command repeats a
// test when a file changes that the test itself looked at, and would not know
// of those that mambac is built from.
func watch(t *testing.T) {
	t.Helper()
	for _, folder := range []string{"cmd", "codegen", "importer", "ir", "runtime"} {
		err := filepath.WalkDir(filepath.Join("..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func generate(t *testing.T, mambac, checkpoint, name, folder string) {
	t.Helper()
	run(t, mambac, "generate", checkpoint, "--package", name, "--embed", "--dir", folder, "-q")
}

func compare(t *testing.T, have, want map[string][]byte) {
	t.Helper()
	for name, text := range want {
		if !bytes.Equal(have[name], text) {
			t.Errorf("%s is not what mambac makes; run make generate", name)
		}
	}
	for name := range have {
		if want[name] == nil {
			t.Errorf("%s was not made by mambac; delete it or run make generate", name)
		}
	}
}

// files reads a folder.
func files(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	list := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		list[name], err = os.ReadFile(filepath.Join(folder, name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
