package codegen

import (
	"encoding/json"
	"fmt"

	"github.com/mambac/mambac/codegen/gobuild"
	"github.com/mambac/mambac/codegen/gosrc"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/ir"
)

// Measurement is a program that times what a tuning lacks for a module.
type Measurement struct {
	Files   map[string][]byte // its source
	Kernels []string          // their names; the argument of a run is an index

	contests []gosrc.Contest
}

// Measure makes the program for a module and the levels of o, as far as
// o.Tuning lacks them.
func Measure(m *ir.Module, o Options) (*Measurement, error) {
	p, err := lower.Lower(m, lower.Options{Chunk: o.Chunk, Math: o.Math})
	if err != nil {
		return nil, err
	}
	backends, _, err := choose(o, p.Specs())
	if err != nil {
		return nil, err
	}
	x := &Measurement{}
	for _, b := range backends {
		for _, s := range o.Tuning.Missing(b, p.Specs(), p.Chunk) {
			x.contests = append(x.contests, gosrc.Contest{Backend: b, Spec: s, Chunk: p.Chunk})
			x.Kernels = append(x.Kernels, b.Level().Name+" "+s.Name())
		}
	}
	x.Files, err = gosrc.TuningFiles(gobuild.ModulePath, header(o.Command), x.contests)
	return x, err
}

// Add puts what a run has printed of a kernel into a tuning.
func (x *Measurement) Add(t *target.Tuning, i int, printed []byte) error {
	var list []target.Candidate
	if err := json.Unmarshal(printed, &list); err != nil {
		return fmt.Errorf("%s: the measuring program printed %q: %w", x.Kernels[i], printed, err)
	}
	c := x.contests[i]
	return t.Add(c.Backend, c.Spec, c.Chunk, list)
}
