// Package leveltest is what the tests of every back end share: what a spec
// must compute, and a module of emitted kernels that tests itself. Tests import
// it; it sees kernel, target and gosrc.
package leveltest

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/gosrc"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/runtime/kerneltest"
)

// Meaning is the kernel of package kerneltest with the name and the fields of
// a spec.
func Meaning(t *testing.T, spec kernel.Spec) kerneltest.Kernel {
	t.Helper()
	kinds := map[string]kerneltest.Kernel{
		"gemv": &kerneltest.Gemv{}, "gemm": &kerneltest.Gemm{}, "embed": &kerneltest.Embed{},
		"rmsnorm": &kerneltest.RMSNorm{}, "conv": &kerneltest.Conv{}, "scan1": &kerneltest.Scan1{}, "map": &kerneltest.Map{},
		"mamba3": &kerneltest.Mamba3{}, "mamba3prepare": &kerneltest.Mamba3Prepare{}, "mamba3gate": &kerneltest.Mamba3Gate{},
		"ssd": &kerneltest.SSD{}, "gatednorm": &kerneltest.GatedNorm{}, "layernorm": &kerneltest.LayerNorm{}, "angles": &kerneltest.Angles{}, "rope": &kerneltest.RoPE{},
		"keep": &kerneltest.Keep{}, "attend": &kerneltest.Attend{}, "route": &kerneltest.Route{},
		"gather": &kerneltest.Gather{}, "scatter": &kerneltest.Scatter{}, "weigh": &kerneltest.Weigh{},
		"quantise": &kerneltest.Quantise{}, "dotgemv": &kerneltest.DotGemv{}, "dotgemm": &kerneltest.DotGemm{},
	}
	k, ok := kinds[spec.Kind()]
	if !ok {
		t.Fatalf("%s: no meaning of kind %s", spec.Name(), spec.Kind())
	}
	copyFields(reflect.ValueOf(k).Elem(), reflect.ValueOf(spec))
	return k
}

func copyFields(to, from reflect.Value) {
	for i := range from.NumField() {
		field := from.Field(i)
		if field.Kind() == reflect.Struct {
			copyFields(to, field)
			continue
		}
		name := from.Type().Field(i).Name
		to.FieldByName(name).Set(field.Convert(to.FieldByName(name).Type()))
	}
}

// Supported are the specs that a back end emits.
func Supported(b target.Backend, specs []kernel.Spec) []kernel.Spec {
	var list []kernel.Spec
	for _, s := range specs {
		if b.Supports(s) {
			list = append(list, s)
		}
	}
	return list
}

// WriteModule emits kernels, twins and tests of a package into a folder. All
// back ends are of one GOARCH.
func WriteModule(t *testing.T, dir string, specs []kernel.Spec, backends []target.Backend) {
	t.Helper()
	const pkg, header = "kernels", "Made by a test."
	write := func(name string, text []byte, err error) {
		t.Helper()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o666)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	text, err := gosrc.TwinFile(pkg, header, specs)
	write("kernels_generic.go", text, err)
	text, err = gosrc.TestFile(pkg, header, specs)
	write("kernels_test.go", text, err)
	text, err = gosrc.LevelTestFile(pkg, header, specs, backends)
	write("kernels_"+backends[0].Level().GOARCH+"_test.go", text, err)
	for _, b := range backends {
		level, own := b.Level(), Supported(b, specs)
		text, err = gosrc.StubFile(pkg, header, level, own)
		write("kernels_"+level.Name+"_"+level.GOARCH+".go", text, err)
		text, err = b.Emit(pkg, header, own, nil)
		write("kernels_"+level.Name+"_"+level.GOARCH+".s", text, err)
	}
	root, err := filepath.Abs("../..")
	write("go.mod", []byte("module example.com/kernels\n\ngo 1.26.0\n\n"+
		"require github.com/mambac/mambac v0.0.0\n\nreplace github.com/mambac/mambac => "+root+"\n"), err)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	write("go.sum", sums, err)
	write("digests_"+backends[0].Level().GOARCH+"_test.go", []byte(digestsTest), nil)
}

// Go runs a go command in a module, without network, for an architecture.
func Go(t *testing.T, dir, goarch string, args ...string) {
	t.Helper()
	c := exec.Command("go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=0", "GOARCH="+goarch)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("GOARCH=%s go %s: %v\n%s", goarch, strings.Join(args, " "), err, out)
	}
}
