package leveltest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/runtime/kerneltest"
)

// digestsFile is where the module of emitted kernels writes down what they
// answered.
const digestsFile = "digests.txt"

// CompareDigests repeats in an interpreter the calls whose results the module
// in dir wrote down when its tests ran: the interpreter must answer, to the bit,
// what the processor does.
func CompareDigests(t *testing.T, dir string, b target.Backend, specs []kernel.Spec,
	open func(kernel.Spec) func(*kerneltest.Call) error) {
	t.Helper()
	native := readDigests(t, dir)
	for _, spec := range Supported(b, specs) {
		run, compared := open(spec), 0
		for c := range Meaning(t, spec).Cases() {
			want, ok := native[b.Level().Name+" "+spec.Name()+" "+c.Name]
			if !ok {
				continue
			}
			compared++
			got, err := c.Digest(run)
			if err != nil || got != want {
				t.Errorf("%s: %s: %s: the interpreter's result has digest %s (%v), the CPU's %s", b.Level().Name, spec.Name(), c.Name, got, err, want)
			}
		}
		if compared == 0 {
			t.Errorf("%s: %s: the CPU left no digest", b.Level().Name, spec.Name())
		}
	}
}

func readDigests(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, digestsFile))
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, digest, _ := strings.Cut(strings.TrimSpace(line), " = ")
		digests[key] = digest
	}
	return digests
}

// digestsTest writes down what the kernels of each level answer.
const digestsTest = `package kernels

import (
	"fmt"
	"os"
	"testing"

	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/kerneltest"
)

func TestDigests(t *testing.T) {
	f, err := os.Create("` + digestsFile + `")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, level := range testedLevels {
		for _, s := range testedKernels {
			run := level.Kernels[s.Name]
			if run == nil || !present(level) {
				continue
			}
			i := 0
			for c := range s.Kernel.Cases() {
				if i++; i%5 != 0 {
					continue // enough, and the interpreter is slow
				}
				digest, err := c.Digest(func(c *kerneltest.Call) error { run(c); return nil })
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(f, "%s %s %s = %s\n", level.Name, s.Name, c.Name, digest)
			}
		}
	}
}

func present(level kerneltest.Level) bool {
	for _, feature := range level.Features {
		if !cpu.Has(feature) {
			return false
		}
	}
	return true
}
`
