// Package kerneltest judges kernels: it makes weird inputs, knows what every
// kind must answer, bit by bit where the kind fixes the order of operations,
// and looks for writes out of bounds. It is imported by tests only, emitted
// ones included, and sees runtime/cpu alone.
package kerneltest

import (
	"iter"
	"os"
	"testing"

	"github.com/mambac/mambac/runtime/cpu"
)

// Kernel is a kind with its constants: the meaning of a kernel, apart from any
// code for it. The types of this package that implement it have the names and
// fields of the compiler's kernel specs.
type Kernel interface {
	// Cases yields calls over odd counts and all kinds of values, the same
	// ones at every run.
	Cases() iter.Seq[*Case]
	axes() []axis
}

// Func runs a kernel's code with a call's arguments.
type Func func(*Call)

// Subject is one kernel of a package under test.
type Subject struct {
	Name   string
	Kernel Kernel
	Twin   Func // pure Go
}

// Level is the assembly of a package for one set of CPU features.
type Level struct {
	Name     string
	Features []string        // by the names of runtime/cpu
	Kernels  map[string]Func // by the names of subjects
}

// Twins checks the pure-Go code of every subject.
func Twins(t *testing.T, subjects []Subject) {
	for _, s := range subjects {
		t.Run(s.Name, func(t *testing.T) {
			for c := range s.Kernel.Cases() {
				report(t, c, c.Check(Loose, s.Twin.call))
				report(t, c, c.CheckSplit(s.Twin.call))
			}
		})
	}
}

// Levels checks every level that this CPU has: against the kernels' meaning,
// against the twins, and each level against the one before, which must give
// the same bits unless the kind says otherwise. A level named in the environment variable
// MAMBAC_REQUIRE_LEVEL must be there.
func Levels(t *testing.T, subjects []Subject, levels []Level) {
	var before *Level
	for i := range levels {
		level := &levels[i]
		if !level.present(t) {
			continue
		}
		t.Run(level.Name, func(t *testing.T) {
			for _, s := range subjects {
				if run := level.Kernels[s.Name]; run != nil {
					t.Run(s.Name, func(t *testing.T) { checkLevel(t, s, run, before) })
				}
			}
		})
		before = level
	}
}

func checkLevel(t *testing.T, s Subject, run Func, before *Level) {
	for c := range s.Kernel.Cases() {
		report(t, c, c.Check(Strict, run.call))
		report(t, c, c.CheckSplit(run.call))
		report(t, c, c.CheckClose(run.call, s.Twin.call))
		if before != nil && before.Kernels[s.Name] != nil {
			report(t, c, c.CheckLevels(run.call, before.Kernels[s.Name].call))
		}
	}
}

// present reports whether the CPU has a level; one that is required and
// missing fails the test.
func (l *Level) present(t *testing.T) bool {
	for _, feature := range l.Features {
		if cpu.Has(feature) {
			continue
		}
		if os.Getenv("MAMBAC_REQUIRE_LEVEL") == l.Name {
			t.Errorf("level %s is required and this CPU lacks %s", l.Name, feature)
		}
		t.Logf("level %s left out: this CPU lacks %s", l.Name, feature)
		return false
	}
	return true
}

func (f Func) call(c *Call) error {
	f(c)
	return nil
}

func report(t *testing.T, c *Case, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", c.Name, err)
	}
}
