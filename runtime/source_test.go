package runtime

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write dependencies.zip anew")

// platforms covers every file that a supported target compiles.
var platforms = []string{"linux/amd64", "linux/arm64", "linux/riscv64", "darwin/arm64", "windows/amd64", "freebsd/amd64", "wasip1/wasm"}

type listed struct {
	ImportPath string
	Dir        string
	Standard   bool
	Module     *struct{ Path, Version, Dir, GoVersion string }
}

// TestDependencies proves that the archive holds what the runtime imports
// today, at the versions of go.mod.
func TestDependencies(t *testing.T) {
	want := map[string][]byte{}
	modules := map[string][]string{}
	for _, p := range platforms {
		for _, l := range list(t, p) {
			collect(t, want, modules, l)
		}
	}
	var text strings.Builder
	for _, header := range slices.Sorted(maps.Keys(modules)) {
		fmt.Fprintf(&text, "%s\n%s\n", header, strings.Join(modules[header], "\n"))
	}
	want[modulesFile] = []byte(text.String())
	if *update {
		writeArchive(t, want)
		return
	}
	have, err := unzip(dependencies)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range want {
		if !bytes.Equal(have[name], data) {
			t.Errorf("%s is missing or stale; run go test ./runtime -run Dependencies -update", name)
		}
	}
	for name := range have {
		if want[name] == nil {
			t.Errorf("%s is not needed; run go test ./runtime -run Dependencies -update", name)
		}
	}
}

// list asks go for the packages of others below the runtime.
func list(t *testing.T, platform string) []listed {
	goos, goarch, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Standard,Module", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		err := d.Decode(&l)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		if !l.Standard && l.Module != nil && l.Module.Path != Module {
			packages = append(packages, l)
		}
	}
}

func collect(t *testing.T, files map[string][]byte, modules map[string][]string, l listed) {
	header := fmt.Sprintf("# %s %s\n## explicit; go %s", l.Module.Path, l.Module.Version, l.Module.GoVersion)
	if slices.Contains(modules[header], l.ImportPath) {
		return
	}
	modules[header] = append(modules[header], l.ImportPath)
	slices.Sort(modules[header])
	names, err := filepath.Glob(filepath.Join(l.Dir, "*.[gs]*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if ext := path.Ext(name); (ext == ".go" || ext == ".s") && !strings.HasSuffix(name, "_test.go") {
			files[path.Join(l.ImportPath, filepath.Base(name))] = read(t, name)
		}
	}
	files[path.Join(l.Module.Path, "LICENSE")] = read(t, filepath.Join(l.Module.Dir, "LICENSE"))
	// The licences of what a module was made from.
	if name := filepath.Join(l.Module.Dir, "ATTRIB"); exists(name) {
		files[path.Join(l.Module.Path, "ATTRIB")] = read(t, name)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func read(t *testing.T, name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeArchive(t *testing.T, files map[string][]byte) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err == nil {
			_, err = f.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("dependencies.zip", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestVendorHasNoTests keeps test files out of users' builds.
func TestVendorHasNoTests(t *testing.T) {
	files, err := Vendor()
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		if strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s is vendored", name)
		}
	}
}
