package ladder

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/runtime/cpu"
)

// modulePath is the path of all that is ours.
const modulePath = "github.com/mambac/mambac"

// machine runs programs of an architecture: this one, or an emulator.
type machine struct {
	goarch, emulator string
	Interpretation
}

// Interpretation adds levels whose kernels are run by the interpreter, if any,
// and leaves out all but some of the ways to feed a sequence: there every
// instruction takes a hundred.
type Interpretation struct{ Levels, Ways []string }

// emitted lists the levels that somebody runs: this machine, an emulator, the
// interpreter. Of others a program would prove that they can be emitted and
// assembled, which codegen/amd64 does for every kind and storage, at odd sizes.
func (m machine) emitted() []string {
	return slices.DeleteFunc(codegen.Levels(m.goarch), func(level string) bool {
		runs := m.emulator != "" || slices.Contains(m.Levels, level)
		return !runs && slices.ContainsFunc(codegen.Features(level), func(f string) bool { return !cpu.Has(f) })
	})
}

// execute builds dir as a module of its own that holds n models, and runs it.
func (m machine) execute(dir string, n int) error {
	root, err := repository()
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	for name, data := range map[string]string{
		"go.mod":  fmt.Sprintf("module ladder.invalid\n\ngo 1.26\n\nrequire %[1]s v0.0.0\n\nreplace %[1]s => %[2]q\n", modulePath, root),
		"go.sum":  string(sums),
		"main.go": m.mainFile(n),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			return err
		}
	}
	// -mod=mod copies the versions of what the runtime needs from our go.mod.
	if err := m.run(dir, "go", "build", "-mod=mod", "-o", "rungs", "."); err != nil {
		return err
	}
	program := []string{filepath.Join(dir, "rungs"), dir}
	if m.emulator != "" {
		program = append([]string{m.emulator}, program...)
	}
	return m.run(dir, program...)
}

// repository is the folder of our own go.mod.
func repository() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", modulePath).Output()
	return strings.TrimSpace(string(out)), err
}

// mainFile imports the models.
func (m machine) mainFile(n int) string {
	var imports, models strings.Builder
	for i := range n {
		fmt.Fprintf(&imports, "\t%q\n", "ladder.invalid/"+packageName(i))
		fmt.Fprintf(&models, "\t%s.Compiled(),\n", packageName(i))
	}
	return fmt.Sprintf(`package main

import (
	"log"
	"os"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
%s)

var models = []*engine.Compiled{
%s}

func main() {
	if err := enginetest.Rungs(os.Args[1], models, %s); err != nil {
		log.Fatal(err)
	}
}
`, &imports, &models, m.effort())
}

// emulatedWays leaves out those that take the most tokens: an emulator needs a
// hundred times as long, and what they have besides is the same Go everywhere.
var emulatedWays = []string{"prefill", "pieces", "steps", "decode", "batch2", "batch3", "batch5"}

func (m machine) effort() string {
	switch {
	case m.Levels != nil:
		return fmt.Sprintf("enginetest.Effort{Threads: 1, Ways: %#v}", m.Ways)
	case m.emulator != "":
		return fmt.Sprintf("enginetest.Effort{Threads: 2, Ways: %#v}", emulatedWays)
	}
	return fmt.Sprintf("enginetest.Effort{Threads: enginetest.MaxThreads, Ways: %#v}", m.Ways)
}

// interpretation is a file of a package that adds interpreted levels to it.
func (m machine) interpretation(pkg string, p *plan.Plan) string {
	var specs []string
	for _, s := range p.Specs() {
		specs = append(specs, kernel.Format(s))
	}
	return fmt.Sprintf(`package %s

import (
	_ "github.com/mambac/mambac/codegen" // registers the levels
	"github.com/mambac/mambac/codegen/leveltest"
)

func init() {
	for _, name := range %#v {
		l := levels[len(levels)-1] // the twins, for what the level leaves to them
		l.Name = name + "-interpreted"
		if err := leveltest.Interpret(name, %#v, &l.kernels); err != nil {
			panic(err)
		}
		levels = append(levels, l)
	}
}
`, pkg, m.Levels, specs)
}

func (m machine) run(dir string, command ...string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0", "GOARCH="+m.goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
	}
	return nil
}
