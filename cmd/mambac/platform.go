package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/runtime/payload"
)

// system is an operating system that programs are built for.
type system struct {
	goos      string
	goarches  []string
	extension string // of a program's name
	// apart says why the payload must be a file beside the program; "" where
	// it may follow the executable in its file.
	apart string
}

// systems is every target there is. ELF and PE files may hold more than their
// headers speak of.
var systems = []system{
	{goos: "darwin", goarches: []string{"amd64", "arm64"}, apart: "darwin signs executables to their end, appended data would break the signature"},
	{goos: "freebsd", goarches: []string{"amd64", "arm64"}},
	{goos: "linux", goarches: []string{"amd64", "arm64", "riscv64"}},
	{goos: "wasip1", goarches: []string{"wasm"}, extension: ".wasm", apart: "a wasm module is all sections, and cannot read its own file"},
	{goos: "windows", goarches: []string{"amd64", "arm64"}, extension: ".exe"},
}

// targets lists all that can follow --target.
func targets() []string {
	var list []string
	for _, s := range systems {
		for _, goarch := range s.goarches {
			list = append(list, s.goos+"/"+goarch)
		}
	}
	return list
}

// systemOf is the system of a target. One that is not in the table can only be
// the machine that mambac itself was built for: it is taken to load ELF files.
func systemOf(target string) system {
	goos, _, _ := strings.Cut(target, "/")
	for _, s := range systems {
		if s.goos == goos {
			return s
		}
	}
	return system{goos: goos}
}

// anyPlatform is the target of source that may be compiled for any.
const anyPlatform = ""

// checkTarget demands one of the table, or this machine.
func checkTarget(target string) error {
	if target == anyPlatform || target == platform() || slices.Contains(targets(), target) {
		return nil
	}
	return usagef("--target %s: want %s", target, strings.Join(targets(), ", "))
}

// executable is what the system calls a program.
func (s system) executable(name string) string {
	if strings.HasSuffix(name, s.extension) {
		return name
	}
	return name + s.extension
}

// beside is the name of the payload file that goes with a program.
func (s system) beside(program string) string {
	return strings.TrimSuffix(program, s.extension) + payload.Ext
}

// registerTarget adds the flag of a command that compiles for any machine.
func (o *choice) registerTarget(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.platform, "target", o.platform, "system and architecture: "+strings.Join(targets(), ", "))
	choices(cmd, "target", targets()...)
}

// chosenTargets lists what --target says of a command that compiles for
// several; all are these if it says nothing.
func chosenTargets(cmd *cobra.Command, all []string) []string {
	f := cmd.Flags().Lookup("target")
	if !f.Changed {
		return all
	}
	var list []string
	for _, name := range strings.Split(f.Value.String(), ",") {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// checkSeveral is check for a command that compiles for several targets.
func (o *choice) checkSeveral(list []string) error {
	for _, name := range list {
		if name == anyPlatform {
			return usagef("--target names nothing: want a list of %s", strings.Join(targets(), ", "))
		}
		if err := checkTarget(name); err != nil {
			return err
		}
	}
	if err := oneOf("cpu", o.cpu, "native", "all", target.Generic); err != nil {
		return err
	}
	o.platform = platform()
	return o.check()
}

// compileSeveral compiles the program for each target. Code depends on the
// levels alone, so that systems of one architecture share it.
func (o *choice) compileSeveral(m *model, targets []string, command string) ([]*compiled, error) {
	byLevels := map[string]*compiled{}
	var list []*compiled
	for _, target := range targets {
		one := o.of(target)
		key := strings.Join(one.levels(), " ")
		if byLevels[key] == nil {
			c, err := one.compile(m, one.programOptions(m), command)
			if err != nil {
				return nil, err
			}
			byLevels[key] = c
		}
		list = append(list, byLevels[key])
	}
	return list, nil
}

// of is the choice for one of several targets. Each program is for other
// machines than this, so each has all levels.
func (o choice) of(target string) *choice {
	o.platform = target
	if o.cpu == "native" {
		o.cpu = "all"
	}
	return &o
}
